/**
 * The guard without a framework, and its parts: client IP, matcher, directory, export.
 *
 * @module moengage-allowlist/core
 */

export type { FetchHeaders, HeadersInput } from './client-ip/incoming.js'
export {
  type ClientIpOptions,
  createClientIpResolver,
  type ResolveClientIp,
  type ResolvedClientIp
} from './client-ip/options.js'
export type { Unresolved, UnresolvedReason } from './client-ip/unresolved.js'
export {
  type AddressChange,
  type AddressMove,
  type CellChange,
  type DirectoryDiff,
  diffDirectories,
  type UnknownChange
} from './directory/diff.js'
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
export type { ReadCell } from './directory/read-snapshot.js'
export type { Cell, DerivedCell, Snapshot } from './directory/snapshot.js'
export type {
  FileSource,
  PageSource,
  Polling,
  Source,
  SourceOption,
  UrlSource,
  VerifyOptions
} from './directory/source/source.js'
export { type CheckedEntry, checkEgress, type EgressCheck } from './egress/check.js'
export type { EgressProblem } from './egress/entries.js'
export { formatEgress } from './egress/format.js'
export type { EgressCategory, EgressFormat, EgressFormatOptions } from './egress/format-options.js'
export type { EgressTarget } from './egress/forms.js'
export { outboundHosts } from './egress/hosts.js'
export type { EgressEntry, EgressList } from './egress/read-list.js'
export {
  ChannelError,
  DataCenterError,
  EgressError,
  EventError,
  ExportError,
  FleetError,
  NoAddressesError,
  NotReadyError,
  OptionsError,
  type PageCell,
  PageError,
  PrefixError,
  type Problem,
  type ProblemCode,
  RegisteredTwiceError,
  RejectedError,
  RouteError,
  SignatureError,
  SnapshotError,
  SourceError,
  type Suspicion,
  SuspiciousError,
  type SuspiciousReason
} from './errors.js'
export type { Finding, FindingKind } from './evidence/findings.js'
export type { EvidenceOptions } from './evidence/options.js'
export { type SecretHeaderOptions, type SecretRequest, secretHeader } from './evidence/secret-header.js'
export { EXPORT_FORMATS, type ExportFormat, type ExportOptions, exportDirectory } from './export/export-directory.js'
export type { LastVerified, PolicyCounts, PrefixHits } from './guard/counters.js'
export { createGuard, loadGuard } from './guard/create-guard.js'
export type { Explanation, PolicyExplanation } from './guard/explain.js'
export type { Guard, PolicyOptions } from './guard/guard.js'
export type { GuardMetrics, ReloadEvent, VerdictEvent } from './guard/ledger.js'
export type { ListOptions } from './guard/list-options.js'
export type { GuardOptions, GuardRequest } from './guard/options.js'
export type { OverrideOptions } from './guard/overrides.js'
export type { GuardStatus, Override, PendingRemoval, WatchMetrics, WatchStatus } from './guard/status.js'
export type { WatchOptions } from './guard/watch.js'
export { type Address, parseAddress } from './ip/address.js'
export { compileMatcher, type Entry, type FoundEntry, type Matcher } from './ip/matcher.js'
export { type Prefix, parsePrefix } from './ip/prefix.js'
export type { Duration } from './lib/time.js'
export type { RedactAddress } from './senders/redact.js'
export type { ListedFor, RejectionsByReason, Sender } from './senders/senders.js'
export { type SignedAlert, verifyAlertSignature } from './signing/alert-signature.js'
export type { Reason, RejectedVerdict, Verdict, VerdictOverride, VerifiedVerdict } from './verdict/verdict.js'
