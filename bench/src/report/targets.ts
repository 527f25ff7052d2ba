import { table } from './markdown.js'

/** What an issue asks for, and what was measured. */
export interface Target {
  readonly what: string
  /** As the issue words it. */
  readonly wanted: string
  readonly measured: string
  readonly met: boolean
  /** What stands in the way, where it is known; shown when the target is missed. */
  readonly why: string
}

/** A target that a number reaches when it is at least, or at most, so much. */
export function target(
  what: string,
  order: '≥' | '≤',
  wanted: number,
  measured: number,
  show: (n: number) => string,
  why = ''
): Target {
  return {
    what,
    wanted: `${order} ${show(wanted)}`,
    measured: show(measured),
    met: order === '≥' ? measured >= wanted : measured <= wanted,
    why
  }
}

export function targetTable(targets: readonly Target[]): string {
  const rows = targets.map(({ what, wanted, measured, met }) => [what, wanted, measured, met ? 'met' : '**not met**'])
  const reasons = targets.filter(({ met, why }) => !met && why !== '').map(({ what, why }) => `- *${what}*: ${why}`)
  return [table(['target', 'wanted', 'measured', ''], rows), ...(reasons.length > 0 ? [reasons.join('\n')] : [])].join(
    '\n\n'
  )
}
