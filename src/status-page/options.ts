import { OptionsError } from '../errors.js'
import { refuseNoGuard } from '../guard/given-guard.js'
import type { Option, OptionTable } from '../lib/option.js'
import { OptionReader } from '../lib/option-reader.js'
import { flag } from '../lib/option-rules.js'
import { shown } from '../lib/text.js'
import type { ShownGuard } from './facts.js'

/** Options of the status page; `Hook` is a function of the server's kind that lets a request pass or answers it. */
export interface StatusPageOptions<Hook> {
  /** The guard to show: `app.moengage` in Fastify, or the return value of `createGuard` and of the other doors. */
  readonly guard: ShownGuard | undefined
  /** What protects the page: it shows addresses and routes. */
  readonly hooks?:
    | {
        /** Called before every request for the page, in the order of the list. */
        readonly onRequest?: Hook | readonly Hook[] | undefined
      }
    | undefined
  /** `true` serves the page without a hook (`false`): to everybody, or where something in front of it protects it. */
  readonly public?: boolean | undefined
}

const EXAMPLE = '{ onRequest: authenticate }'
const readLater = ({ value }: Option) => value

const OPTIONS = {
  guard: { fallback: undefined, example: 'app.moengage', read: readLater },
  hooks: { fallback: undefined, example: EXAMPLE, read: readHooks },
  public: flag(false),
  // Fastify passes its own options of `register` on.
  prefix: { fallback: undefined, example: `'/status'`, read: readLater },
  logLevel: { fallback: undefined, example: `'warn'`, read: readLater },
  logSerializers: { fallback: undefined, example: '{}', read: readLater }
} satisfies OptionTable

function readHooks(option: Option): readonly unknown[] | undefined {
  const { value } = option
  const { onRequest } = (typeof value === 'object' && value !== null ? value : {}) as { onRequest?: unknown }
  const hooks = onRequest === undefined ? [] : [onRequest].flat()
  if (hooks.length > 0 && hooks.every((hook) => typeof hook === 'function')) return hooks
  return option.refuse(`${shown(value)} holds no function that protects the page.`, `Write ${EXAMPLE}.`)
}

/**
 * Reads the options of the status page.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`) with every mistake, and where neither a hook nor `public` is given
 */
export function readStatusPageOptions<Hook>(options: StatusPageOptions<Hook>): {
  readonly guard: ShownGuard
  readonly hooks: readonly Hook[]
} {
  const reader = OptionReader.open(OPTIONS, options, `Write { guard: app.moengage, hooks: ${EXAMPLE} }.`)
  const guard = reader.read('guard')
  const hooks = (reader.read('hooks') ?? []) as readonly Hook[]
  const isPublic = reader.read('public')
  reader.checkNames()
  reader.throwMistakes()
  refuseNoGuard(guard, '{ guard: hooks.moengage }')
  if (hooks.length > 0 || isPublic) return { guard: guard as ShownGuard, hooks }
  throw new OptionsError([
    {
      code: 'MOE_ERR_OPTION_VALUE',
      path: 'hooks.onRequest',
      value: undefined,
      message: 'Nothing protects the status page, which shows addresses and routes.',
      fix: `Write hooks: ${EXAMPLE}, or public: true where something in front of the page protects it.`
    }
  ])
}
