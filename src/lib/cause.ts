import { isOwnError } from '../errors.js'
import { messageOf, textOf, withoutSecrets } from './text.js'

/**
 * What was thrown, as the `cause` of an error of ours. Loggers, the console and `util.inspect` write a cause with everything that it holds, and
 * an error of other code may hold a secret anywhere (that of axios has the headers of the request). So this is a copy with the name, the
 * message, the code and the stack alone, without secrets. An error of this package is safe as it is.
 *
 * @param secrets texts that are replaced wherever they stand
 */
export function safeCause(thrown: unknown, secrets: readonly string[] = []): Error {
  if (isOwnError(thrown)) return thrown
  const clean = (text: string) => withoutSecrets(text, secrets)
  const cause = new Error(clean(messageOf(thrown)))
  const [name, code, stack] = (['name', 'code', 'stack'] as const).map((property) => textOf(thrown, property))
  define(cause, 'name', clean(name ?? cause.name))
  // Of what is no error, nobody needs the place where it was copied.
  define(cause, 'stack', clean(stack ?? String(cause)))
  return code === undefined ? cause : Object.assign(cause, { code: clean(code) })
}

/** Where something was thrown, as the `cause` of an error of ours: its kind and its place, and not its message, which may hold anything. */
export function placeOf(thrown: unknown): Error {
  const kind = textOf(thrown, 'name') ?? 'Error'
  const places = (textOf(thrown, 'stack') ?? '').split('\n').filter((line) => line.startsWith('    at '))
  const cause = new Error('')
  define(cause, 'name', kind)
  define(cause, 'stack', [kind, ...places].join('\n'))
  return cause
}

/** As the language does: inspection shows what is enumerable. */
function define(error: Error, property: 'name' | 'stack', value: string): void {
  Object.defineProperty(error, property, { value, writable: true, configurable: true })
}
