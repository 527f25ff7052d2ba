import { OptionsError, type Problem } from '../errors.js'
import { builtin } from '../lib/builtin.js'
import { AWAIT_FIX, drop, fixFor, isWholePromise } from '../lib/promise.js'

/** A call of MoEngage's Alerts webhook, as far as its signature is concerned. */
export interface SignedAlert {
  /**
   * The campaign report API key of the workspace (Settings, Account, APIs). Several while it is regenerated: MoEngage signs with
   * the new one at once.
   */
  readonly keys: string | readonly string[]
  /** The value of the header `Signature`; without one nothing is verified. */
  readonly signature: string | readonly string[] | null | undefined
  /** The body as it was received, before any parser: its bytes, or their UTF-8 text. */
  readonly body: string | Uint8Array
}

/** A digest of SHA-256 in lower-case hexadecimal. */
const SIGNATURE = /^[0-9a-f]{64}$/

/**
 * Verifies the signature of a call of MoEngage's Alerts webhook: SHA-256 over the key, `|` and the raw body. It is the only call
 * that MoEngage signs, and it has no row in the list of addresses. All keys are tried, in constant time.
 *
 * The scheme has limits: it is not an HMAC, and it holds no time, so that a recorded call can be replayed. De-duplicate by the
 * alert id of the body.
 *
 * Source: partner-guide/data-and-analytics/workflow-automation/webhook.mdx in `moengage/moengage-documentation`.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`) when there is no call or no key, when the body is an object that was parsed already, or when
 * something is a promise
 * @example
 * const isGenuine = verifyAlertSignature({ keys: process.env.ALERT_KEY, signature: request.headers.signature, body: rawBody })
 */
export function verifyAlertSignature(alert: SignedAlert): boolean {
  if (typeof alert !== 'object' || alert === null || isWholePromise(alert)) {
    throw refusal(alert, '', { message: 'There is no call to verify.', fix: 'Pass { keys, signature, body }.' })
  }
  const { keys, signature, body } = alert
  if (!areKeys(keys)) {
    throw refusal(alert, 'keys', {
      message: 'A key is missing or empty, so anybody could sign (is an environment variable empty?).',
      fix: 'Pass the campaign report API key of your workspace: Settings, Account, APIs.'
    })
  }
  if (typeof body !== 'string' && !((body as unknown) instanceof Uint8Array)) {
    throw refusal(alert, 'body', {
      message: 'The body was parsed already, or is missing; the signature covers the bytes as they were sent.',
      fix: 'Pass the raw body: see examples/alerts-webhook.ts.'
    })
  }
  if ([signature].flat().some(isWholePromise)) {
    throw refusal(alert, 'signature', { message: 'The signature is a promise.', fix: AWAIT_FIX })
  }
  if (typeof signature !== 'string' || !SIGNATURE.test(signature)) return false
  const { createHash, timingSafeEqual } = builtin('node:crypto')
  const given = Buffer.from(signature, 'hex')
  const matches = [keys]
    .flat()
    .map((key) => timingSafeEqual(createHash('sha256').update(`${key}|`).update(body).digest(), given))
  return matches.includes(true)
}

function areKeys(keys: unknown): boolean {
  const candidates: readonly unknown[] = Array.isArray(keys) ? keys : [keys]
  return candidates.length > 0 && candidates.every((key) => typeof key === 'string' && key.trim() !== '')
}

/** Keys and bodies are secret: the value is never shown. A promise in a call that is refused is dropped, wherever it stands. */
function refusal(
  alert: SignedAlert | null | undefined,
  path: keyof SignedAlert | '',
  { message, fix }: Pick<Problem, 'message' | 'fix'>
): OptionsError {
  drop([alert])
  const value = path === '' ? alert : alert![path]
  return new OptionsError([{ code: 'MOE_ERR_OPTION_VALUE', path, value: '…', message, fix: fixFor(value, fix) }])
}
