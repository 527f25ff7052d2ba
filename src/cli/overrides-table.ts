import type { Override } from '../guard/status.js'
import { printable, table } from './text.js'

/** Overrides of a fleet, one a line; whoever wrote them, they do not steer the terminal. */
export function overridesTable(overrides: readonly Override[]): string {
  return table([
    ['override', 'what', 'until', 'note'],
    ...overrides.map(({ id, allow, deny, mode, until, note }) => [
      printable(id),
      printable(
        [
          ...allow.map((prefix) => `allow ${prefix}`),
          ...deny.map((prefix) => `deny ${prefix}`),
          ...(mode ? [`mode ${mode}`] : [])
        ].join(', ')
      ),
      printable(until ?? 'no end'),
      printable(note ?? '')
    ])
  ])
}
