/**
 * The Fastify plugin, its options, and the errors.
 *
 * @module moengage-allowlist
 */

export type { ClientIpOptions } from './client-ip/options.js'
export type { AddressChange, AddressMove, CellChange, DirectoryDiff, UnknownChange } from './directory/diff.js'
export type { Channel, DataCenter } from './directory/names.js'
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
export type { LastVerified, PolicyCounts, PrefixHits } from './guard/counters.js'
export type { Explanation, PolicyExplanation } from './guard/explain.js'
export type { PolicyOptions } from './guard/guard.js'
export type { GuardMetrics, ReloadEvent, VerdictEvent } from './guard/ledger.js'
export type { ListOptions } from './guard/list-options.js'
export type { GuardOptions, GuardRequest } from './guard/options.js'
export type { OverrideOptions } from './guard/overrides.js'
export type { GuardStatus, Override, PendingRemoval, WatchMetrics, WatchStatus } from './guard/status.js'
export type { WatchOptions } from './guard/watch.js'
export type { Duration } from './lib/time.js'
export type { LogOptions } from './log/rejection-log.js'
export type { RedactAddress } from './senders/redact.js'
export type { ListedFor, RejectionsByReason, Sender } from './senders/senders.js'
export {
  type FastifyGuard,
  type MoEngageAllowlistOptions,
  moengageAllowlist as default,
  type OnReject,
  type RouteOptions
} from './server/fastify.js'
export type { OnVerdict } from './server/routes.js'
export type { Reason, RejectedVerdict, Verdict, VerdictOverride, VerifiedVerdict } from './verdict/verdict.js'
