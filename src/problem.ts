/**
 * Every error and warning this package can produce, by code. Each has a section of the same name in `docs/errors.md`.
 */
export type ProblemCode =
  | 'MOE_ERR_OPTIONS'
  | 'MOE_ERR_UNKNOWN_OPTION'
  | 'MOE_ERR_OPTION_VALUE'
  | 'MOE_ERR_PREFIX'
  | 'MOE_ERR_TRUSTS_EVERYONE'
  | 'MOE_ERR_DATA_CENTER'
  | 'MOE_ERR_CHANNEL'
  | 'MOE_ERR_NO_ADDRESSES'
  | 'MOE_ERR_SNAPSHOT'
  | 'MOE_ERR_PAGE'
  | 'MOE_ERR_SOURCE'
  | 'MOE_ERR_SUSPICIOUS'
  | 'MOE_ERR_EXPORT'
  | 'MOE_ERR_EGRESS'
  | 'MOE_ERR_REGISTERED_TWICE'
  | 'MOE_ERR_ROUTE'
  | 'MOE_ERR_NOT_READY'
  | 'MOE_ERR_REJECTED'
  | 'MOE_WARN_TRUSTED_PROXIES'
  | 'MOE_WARN_EXTRA_ADDRESS'
  | 'MOE_WARN_CHANNEL'
  | 'MOE_WARN_STALE'
  | 'MOE_WARN_PAGE'
  | 'MOE_WARN_EGRESS'
  | 'MOE_WARN_LOGGER'

/** What went wrong, in words for a person: the problem, the value that caused it, and what to do. */
export interface Problem {
  /** The code, which is also the anchor in `docs/errors.md`. */
  readonly code: ProblemCode
  /** The option or place, as a path: `allow[0]`, `clientIp.header`. Empty where no option is at fault. */
  readonly path: string
  /** The offending value. */
  readonly value: unknown
  /** One sentence that says what is wrong. */
  readonly message: string
  /** One sentence that says what to do. */
  readonly fix: string
}

/** A problem as one line: path, message, fix. */
export function problemLine({ path, message, fix }: Problem): string {
  return `${path === '' ? '' : `${path}: `}${message} ${fix}`
}

/** Every {@link Suspicion}. */
export const SUSPICIONS = ['wide', 'private', 'shrunk', 'older', 'future'] as const

/**
 * What can be suspicious about a list, as the option `confirm` names it:
 *
 * - `wide`: a prefix is shorter than /16, or /32 for IPv6.
 * - `private`: an address is private, loopback, documentation or otherwise reserved.
 * - `shrunk`: of the addresses that a route accepts of a data center, more than half are gone.
 * - `older`: it was taken before the list in use.
 * - `future`: it is newer than the list in use, and dated more than a day ahead.
 */
export type Suspicion = (typeof SUSPICIONS)[number]

/** One reason why a list is suspicious. */
export interface SuspiciousReason {
  /** What the option `confirm` calls it. */
  readonly suspicion: Suspicion
  /** One sentence. */
  readonly message: string
}
