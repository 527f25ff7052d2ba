/** Why a client IP could not be resolved. */
export const UNRESOLVED_REASONS = [
  'no-peer',
  'invalid-peer',
  'header-missing',
  'invalid-entry',
  'hidden-client',
  'several-addresses',
  'too-many-hops',
  'too-many-headers',
  'no-answer',
  'invalid-answer',
  'promise-answer',
  'failed-answer'
] as const

/**
 * Why a client IP could not be resolved:
 *
 * - `no-peer`: the connection has no address: it is closed, or comes over a unix socket that is not trusted.
 * - `invalid-peer`: the peer's address cannot be parsed.
 * - `header-missing`: a trusted proxy did not send the header that it must send.
 * - `invalid-entry`: an entry that decides is malformed.
 * - `hidden-client`: a trusted proxy keeps the client's address to itself (`unknown` or an obfuscated name).
 * - `several-addresses`: a header for one address holds more than one.
 * - `too-many-hops`: more than 32 trusted proxies in a row.
 * - `too-many-headers`: the request has as many header lines as Node keeps, so the proxy's line may be missing.
 * - `no-answer`: the framework or the `clientIp` function returned nothing.
 * - `invalid-answer`: it returned something that is not an address.
 * - `promise-answer`: the `clientIp` function returned a promise.
 * - `failed-answer`: it threw.
 */
export type UnresolvedReason = (typeof UNRESOLVED_REASONS)[number]

/** No client IP, and why. */
export interface Unresolved {
  /** Never an address. */
  readonly clientIp: null
  /** Why there is none. */
  readonly reason: UnresolvedReason
}

/**
 * Why there is no client IP that can be relied on; `permissive-trust` is a verdict's reason of its own, and `not-asked` is that of a
 * connection, about which a `clientIp` function cannot be asked.
 */
export interface Failure {
  readonly reason: UnresolvedReason | 'permissive-trust' | 'not-asked'
  /** What the sentence for the reason cannot know: the message of what a function threw. */
  readonly detail?: string
}

const failure = <Reason extends Failure['reason']>(reason: Reason) => Object.freeze({ reason })

export const NO_PEER = failure('no-peer')
export const INVALID_PEER = failure('invalid-peer')
export const HEADER_MISSING = failure('header-missing')
export const INVALID_ENTRY = failure('invalid-entry')
export const HIDDEN_CLIENT = failure('hidden-client')
export const SEVERAL_ADDRESSES = failure('several-addresses')
export const TOO_MANY_HOPS = failure('too-many-hops')
export const TOO_MANY_HEADERS = failure('too-many-headers')
export const NO_ANSWER = failure('no-answer')
export const INVALID_ANSWER = failure('invalid-answer')
export const PROMISE_ANSWER = failure('promise-answer')
export const NOT_ASKED = failure('not-asked')
export const PERMISSIVE_TRUST = failure('permissive-trust')
