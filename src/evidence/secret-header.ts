import { type HeadersInput, headerText } from '../client-ip/incoming.js'
import { OptionsError, type Problem } from '../errors.js'
import { builtin } from '../lib/builtin.js'
import { AWAIT_FIX, fixFor, isUnwantedPromise, isWholePromise } from '../lib/promise.js'

/** A request, as far as its headers are concerned: of Fastify, Express, `node:http`, Fetch, Lambda, or what `judge` of a guard takes. */
export interface SecretRequest {
  /** The headers of the request; an event of Lambda may have none, and writes their names in any case. */
  readonly headers?: HeadersInput | Readonly<Record<string, string | undefined>> | null | undefined
  /**
   * The headers of an event of Lambda with all of their lines: all that a load balancer with multi-value headers sends. They are read
   * before `headers`, where API Gateway writes only the last line.
   */
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[] | undefined>> | null | undefined
}

/** How a secret stands in its header. */
export interface SecretHeaderOptions {
  /**
   * The scheme of an `Authorization` header: `'bearer'` for a token, `'basic'` for `user:password`, written as that text and
   * not in base64. Without a scheme the whole value of the header is the secret.
   */
  readonly scheme?: 'basic' | 'bearer' | undefined
}

/** A secret that is shorter can be guessed. */
const MIN_LENGTH = 8
/** Longer headers are refused by most servers. */
const MAX_LENGTH = 4096
/** Secrets are compared in buffers of at least this length, so that the time does not depend on the length of a secret. */
const MIN_BUFFER = 64

const EXAMPLE = `secretHeader('x-moe-token', process.env.MOENGAGE_SECRET)`
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const PRINTABLE = /^[\x20-\x7e]+$/
const BASIC = /^[^:]*:.+$/

/**
 * Makes a function for the option `carriesSecret`: whether a request carries, in a header, a secret that you entered in MoEngage.
 * Secrets are compared in constant time.
 *
 * @param name the name of the header
 * @param value the secret, of 8 to 4,096 printable ASCII characters; a list of secrets while one is replaced by another
 * @throws OptionsError (`MOE_ERR_OPTIONS`) when a name, a secret or a scheme is wrong. The error does not contain the secret
 * @example
 * carriesSecret: secretHeader('x-moe-token', process.env.MOENGAGE_SECRET)
 * carriesSecret: secretHeader('authorization', [newPassword, oldPassword].map((word) => `moengage:${word}`), { scheme: 'basic' })
 */
export function secretHeader(
  name: string,
  value: string | readonly string[] | undefined,
  options: SecretHeaderOptions = {}
): (request: SecretRequest) => boolean {
  const header = readName(name)
  const scheme = readScheme(options)
  const secrets = readSecrets(value, scheme).map((secret) =>
    scheme === 'basic' ? Buffer.from(secret).toString('base64') : secret
  )
  const comparison = new Comparison(secrets)
  return ({ headers, multiValueHeaders }) => {
    const text = textOf(multiValueHeaders, header) ?? textOf(headers, header)
    if (text === undefined) return false
    const given = scheme === undefined ? text : credentials(text, scheme)
    return given !== undefined && comparison.includes(given)
  }
}

/** Compares texts with secrets, in a time that depends on neither. */
class Comparison {
  readonly #isEqual = builtin('node:crypto').timingSafeEqual
  readonly #given: Buffer
  readonly #secrets: readonly { readonly bytes: Buffer; readonly length: number }[]

  constructor(secrets: readonly string[]) {
    const longest = Math.max(MIN_BUFFER, ...secrets.map(({ length }) => length))
    const size = 2 ** Math.ceil(Math.log2(longest))
    this.#given = Buffer.alloc(size)
    this.#secrets = secrets.map((secret) => {
      const bytes = Buffer.alloc(size)
      bytes.write(secret)
      return { bytes, length: secret.length }
    })
  }

  includes(text: string): boolean {
    const given = this.#given
    if (text.length > given.length) return false
    given.fill(0)
    // As UTF-8, in which no other text has the bytes of one in ASCII.
    given.write(text)
    let matches = 0
    for (const { bytes, length } of this.#secrets) {
      matches |= Number(this.#isEqual(given, bytes)) & Number(text.length === length)
    }
    return matches === 1
  }
}

/** The lines of a header as one text. */
function textOf(headers: SecretRequest['headers' | 'multiValueHeaders'], name: string): string | undefined {
  return headers === undefined || headers === null ? undefined : headerText(headers as HeadersInput, name)
}

const SPACE = 0x20

/** What stands behind the scheme and its spaces; undefined where the header has another scheme. */
function credentials(text: string, scheme: 'basic' | 'bearer'): string | undefined {
  const { length } = scheme
  if (text.charCodeAt(length) !== SPACE || text.slice(0, length).toLowerCase() !== scheme) return undefined
  let start = length
  while (text.charCodeAt(start) === SPACE) start++
  return text.slice(start)
}

function readName(name: unknown): string {
  if (typeof name === 'string' && NAME.test(name)) return name.toLowerCase()
  throw refusal('name', {
    value: typeof name === 'string' ? '…' : typeof name,
    message: 'The first argument is not the name of a header.',
    fix: fixFor(name, `Write ${EXAMPLE}: the name first, then the secret.`)
  })
}

function readScheme(options: unknown): 'basic' | 'bearer' | undefined {
  const isObject =
    typeof options === 'object' && options !== null && !Array.isArray(options) && !isWholePromise(options)
  const names = isObject ? Object.keys(options) : []
  const scheme = isObject ? (options as { scheme?: unknown }).scheme : null
  const isScheme = scheme === undefined || scheme === 'basic' || scheme === 'bearer'
  if (isScheme && names.every((name) => name === 'scheme')) return scheme
  throw refusal('options', {
    value: '…',
    message: 'The third argument has one option, the scheme of an Authorization header: basic or bearer.',
    fix: fixFor(
      options,
      "Write { scheme: 'basic' } or { scheme: 'bearer' }, or leave it out. Several secrets are one list, the second argument."
    )
  })
}

function readSecrets(value: unknown, scheme: 'basic' | 'bearer' | undefined): readonly string[] {
  const isList = Array.isArray(value)
  const values: readonly unknown[] = isList ? value : [value]
  const mistakes = values.flatMap((secret, i): Problem[] => {
    const mistake = mistakeIn(secret, scheme)
    return mistake === undefined ? [] : [problem(isList ? `value[${i}]` : 'value', { value: '…', ...mistake })]
  })
  if (values.length === 0) {
    mistakes.push(problem('value', { value: '…', message: 'The list has no secret.', fix: `Write ${EXAMPLE}.` }))
  }
  if (mistakes.length > 0) throw new OptionsError(mistakes)
  return values as readonly string[]
}

function mistakeIn(
  secret: unknown,
  scheme: 'basic' | 'bearer' | undefined
): Pick<Problem, 'message' | 'fix'> | undefined {
  if (isUnwantedPromise(secret)) return { message: 'The secret is a promise.', fix: AWAIT_FIX }
  if (typeof secret !== 'string') {
    const message = `The secret is not a text but ${secret === null ? 'null' : typeof secret} (is an environment variable missing?).`
    return { message, fix: `Write ${EXAMPLE}, and set the variable.` }
  }
  if (secret.trim() === '') return { message: 'The secret is empty.', fix: `Write ${EXAMPLE}, and set the variable.` }
  if (!PRINTABLE.test(secret) || secret.trim() !== secret) {
    return {
      message:
        'The secret has a line break, a space at an end, or a character outside of ASCII, which headers do not carry unchanged.',
      fix: 'Remove it (a file may end with a line break), or enter another secret in MoEngage.'
    }
  }
  if (secret.length < MIN_LENGTH || secret.length > MAX_LENGTH) {
    return {
      message: `The secret has ${secret.length < MIN_LENGTH ? `less than ${MIN_LENGTH}` : `more than ${MAX_LENGTH}`} characters.`,
      fix: `Enter one of ${MIN_LENGTH} to ${MAX_LENGTH} characters in MoEngage that nobody can guess.`
    }
  }
  if (scheme !== undefined && /^(?:basic|bearer) /i.test(secret)) {
    return {
      message: 'The secret begins with its scheme.',
      fix: 'Leave the scheme out of the secret: it is the option.'
    }
  }
  if (scheme === 'basic' && !BASIC.test(secret)) {
    return {
      message: 'The secret is not a user and a password with a colon between them.',
      fix: `Write it as text: 'user:password'. Text in base64 is read by Buffer.from(text, 'base64').toString().`
    }
  }
  return undefined
}

/** Secrets are never shown, and neither is what stands in the place of one. */
function problem(argument: string, details: Pick<Problem, 'value' | 'message' | 'fix'>): Problem {
  return { code: 'MOE_ERR_OPTION_VALUE', path: `secretHeader ${argument}`, ...details }
}

function refusal(argument: string, details: Pick<Problem, 'value' | 'message' | 'fix'>): OptionsError {
  return new OptionsError([problem(argument, details)])
}
