/** Why a client IP could not be told. */
export type UnresolvedReason =
  | 'no-peer'
  | 'invalid-peer'
  | 'header-missing'
  | 'invalid-entry'
  | 'hidden-client'
  | 'several-addresses'
  | 'too-many-hops'
  | 'too-many-headers'
  | 'no-answer'
  | 'invalid-answer'

/** No client IP, and why. One frozen object a reason. */
export interface Unresolved {
  /** Never an address. */
  readonly clientIp: null
  /** Why there is none. */
  readonly reason: UnresolvedReason
}

const unresolved = (reason: UnresolvedReason): Unresolved => Object.freeze({ clientIp: null, reason })

/** The connection has no address: it is closed, or comes in over a unix socket that is not trusted. */
export const NO_PEER = unresolved('no-peer')
/** The peer's address is not readable as one. */
export const INVALID_PEER = unresolved('invalid-peer')
/** A trusted proxy did not send the header that it must send. */
export const HEADER_MISSING = unresolved('header-missing')
/** An entry that decides is malformed. */
export const INVALID_ENTRY = unresolved('invalid-entry')
/** A trusted proxy keeps the client's address to itself (`unknown` or an obfuscated name). */
export const HIDDEN_CLIENT = unresolved('hidden-client')
/** A header that holds one address holds more than one. */
export const SEVERAL_ADDRESSES = unresolved('several-addresses')
/** More trusted hops than anyone has. */
export const TOO_MANY_HOPS = unresolved('too-many-hops')
/** The request came with as many header lines as Node keeps, so the line of the proxy may be missing. */
export const TOO_MANY_HEADERS = unresolved('too-many-headers')
/** Whoever else is to tell the client IP gave back nothing. */
export const NO_ANSWER = unresolved('no-answer')
/** Whoever else is to tell the client IP gave back something that is no address. */
export const INVALID_ANSWER = unresolved('invalid-answer')
