export { type ClientIpOptions, createClientIpResolver, type ResolveClientIp } from './client-ip/create-resolver.js'
export type { FetchHeaders, HeadersInput } from './client-ip/resolve.js'
export type { UnresolvedReason } from './client-ip/unresolved.js'
export { type Directory, type DirectoryEntry, directory, type Grant, type Selection } from './directory/directory.js'
export {
  CHANNELS,
  type Channel,
  DATA_CENTERS,
  type DataCenter,
  type DataCenterName,
  parseChannel,
  parseDataCenter
} from './directory/names.js'
export type { Cell, Snapshot } from './directory/snapshot.js'
export type { Source } from './directory/source.js'
export * from './errors.js'
export { createGuard, loadGuard } from './guard/create-guard.js'
export type { Explanation } from './guard/explain.js'
export type { Guard, GuardStatus, PolicyOptions } from './guard/guard.js'
export type { GuardOptions, GuardRequest } from './guard/options.js'
export type { Reason, RejectedVerdict, Verdict, VerifiedVerdict } from './guard/verdict.js'
export { type Address, parseAddress } from './net/address.js'
export { compileMatcher, type Entry, type Matcher } from './net/matcher.js'
export { type Prefix, parsePrefix } from './net/prefix.js'
export type { Sender } from './senders/senders.js'
