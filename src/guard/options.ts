import type { HeadersInput, NodeRequest } from '../client-ip/incoming.js'
import { CLIENT_IP_OPTIONS, type ClientIpOptions, readResolver } from '../client-ip/options.js'
import { ClientIpResolver } from '../client-ip/resolver.js'
import { TRUSTED_PROXIES_EXAMPLE } from '../client-ip/trusted-proxies.js'
import type { Selection } from '../directory/directory.js'
import { type Channel, type DataCenterName, readChannel, readDataCenter } from '../directory/names.js'
import type { Problem } from '../errors.js'
import { EVIDENCE_OPTIONS, type EvidenceOptions, EXPECT_SECRET_FIX } from '../evidence/options.js'
import type { Prefix } from '../ip/prefix.js'
import type { Option, OptionRule, OptionTable } from '../lib/option.js'
import { OptionReader } from '../lib/option-reader.js'
import { number } from '../lib/option-rules.js'
import { literal, shown } from '../lib/text.js'
import { REDACT_ADDRESS, type Redact, type RedactAddress } from '../senders/redact.js'
import { FLEET_OPTIONS, type Fleet, type FleetOptions } from './fleet.js'
import { refuseFastify } from './given-fastify.js'
import { EXTRA_ADDRESSES, LIST_OPTIONS, type ListOptions, type ListSettings } from './list-options.js'
import { WATCH_OPTIONS, type WatchOptions, type WatchSettings } from './watch.js'

/** What `judge` of a guard needs of a request. */
export interface GuardRequest {
  /**
   * The socket's remote address (`request.socket.remoteAddress`), or `'unix'` for a connection over a unix socket. Without
   * one the client IP is unresolved.
   */
  readonly peer: string | null | undefined
  /**
   * `request.rawHeaders`, or `request.headers`. Behind a proxy pass `rawHeaders`: only their number shows that Node dropped lines, the
   * last of which is the proxy's.
   */
  readonly headers: HeadersInput
}

/** What `judge` of a guard without a framework takes: {@link GuardRequest}, or the request of Node's own servers. */
export type JudgedRequest =
  | GuardRequest
  | (NodeRequest & {
      /** Node's requests have a `socket`. */
      readonly peer?: undefined
    })

/** What one route accepts; what is left out is taken from the guard's options. */
export interface PolicyOptions {
  /** One data center, several, or `'all'`. Text from outside, in any spelling, goes through `parseDataCenter`. */
  readonly dataCenters?: 'all' | DataCenterName | readonly DataCenterName[] | undefined
  /** `'all'` or channels (`'all'`). Text from outside goes through `parseChannel`. */
  readonly channels?: 'all' | Channel | readonly Channel[] | undefined
}

/** Options of a guard without a framework. */
export interface GuardOptions<Request = JudgedRequest>
  extends PolicyOptions,
    ListOptions,
    WatchOptions,
    FleetOptions,
    EvidenceOptions<Request> {
  /** One data center, several, or `'all'`. Text from outside, in any spelling, goes through `parseDataCenter`. */
  readonly dataCenters: 'all' | DataCenterName | readonly DataCenterName[]
  /**
   * How to resolve the client IP: `'request.ip'` uses the framework's (without one, the peer); an object configures our
   * resolver; a function returns it, as a text (`'request.ip'`). Nothing or several texts, as a header may have, leave the
   * client unresolved.
   */
  readonly clientIp?:
    | 'request.ip'
    | ClientIpOptions
    | ((request: Request) => string | readonly string[] | null | undefined)
    | undefined
  /** Further addresses or prefixes to accept, on every route (`[]`). */
  readonly allow?: readonly string[] | undefined
  /** Addresses or prefixes to reject, whatever else accepts them (`[]`). */
  readonly deny?: readonly string[] | undefined
  /** How many verified addresses to cache and rejected senders to remember (`10_000`). */
  readonly cacheSize?: number | undefined
  /** How the addresses of rejected senders appear in log lines, events and `senders()` (the address). */
  readonly redactAddress?: RedactAddress | undefined
}

/** Options that are right. */
export interface Settings<Request> extends ListSettings, WatchSettings {
  readonly fleet: Fleet | undefined
  readonly selection: Selection
  readonly resolver: ClientIpResolver
  /** How the client IP is resolved where our resolver does not do it. */
  readonly clientIp: 'request.ip' | 'trusted-proxies' | ((request: Request) => unknown)
  /** The header that our resolver reads; null where something else resolves the client IP. */
  readonly header: string | null
  readonly trustedProxies: readonly Prefix[]
  readonly allow: readonly Prefix[]
  readonly deny: readonly Prefix[]
  readonly cacheSize: number
  readonly redact: Redact | undefined
  readonly carriesSecret: ((request: Request) => unknown) | undefined
  readonly expectSecret: boolean
  readonly warnings: readonly Problem[]
}

/** What the option `clientIp` is read into. */
type Resolving = Pick<Settings<never>, 'resolver' | 'header' | 'trustedProxies'> & { readonly clientIp: unknown }

/** What the client IP is resolved by where no proxy is known. */
export const NO_PROXIES: Omit<Resolving, 'clientIp'> = {
  resolver: new ClientIpResolver({
    trustedProxies: [],
    trustUnix: false,
    header: 'x-forwarded-for',
    requireHeader: false
  }),
  header: null,
  trustedProxies: []
}

const CLIENT_IP: OptionRule<Resolving> = {
  fallback: { ...NO_PROXIES, clientIp: 'request.ip' },
  example: `{ trustedProxies: ${TRUSTED_PROXIES_EXAMPLE} }`,
  decidesTrust: true,
  read: readClientIp,
  group: {
    table: CLIENT_IP_OPTIONS,
    beside: (name) => (name === 'trustedProxies' ? [] : ['trustedProxies'])
  }
}

/** The options of a guard, by name. The names of data centers and channels are checked when there is a directory. */
export const GUARD_OPTIONS = {
  dataCenters: {
    fallback: undefined,
    example: `'DC-01'`,
    required: `Write dataCenters: 'DC-01', the data center of your workspace, as in https://dashboard-01.moengage.com.`,
    read: ({ value }) => copy(value as GuardOptions['dataCenters'])
  },
  channels: {
    fallback: undefined,
    example: `'all'`,
    read: ({ value }) => copy(value as GuardOptions['channels'])
  },
  clientIp: CLIENT_IP,
  ...EXTRA_ADDRESSES,
  ...LIST_OPTIONS,
  ...WATCH_OPTIONS,
  ...EVIDENCE_OPTIONS,
  ...FLEET_OPTIONS,
  cacheSize: number({ fallback: 10_000, of: 'addresses', min: 1, max: 1_000_000 }),
  redactAddress: REDACT_ADDRESS
} satisfies OptionTable

const { required: _, ...OPTIONAL_DATA_CENTERS } = GUARD_OPTIONS.dataCenters

/** What a route accepts, by name. */
export const POLICY_OPTIONS = { dataCenters: OPTIONAL_DATA_CENTERS, channels: GUARD_OPTIONS.channels }

/** A policy that a text or a list of texts names, as it is written in code; undefined where it names none. */
export function policyNamedBy(value: unknown): string | undefined {
  const texts = [value].flat()
  for (const [option, read] of [
    ['channels', readChannel],
    ['dataCenters', readDataCenter]
  ] as const) {
    const names = texts.flatMap((text) => {
      const outcome = read(text)
      return 'ok' in outcome ? [outcome.ok] : []
    })
    const written = literal(Array.isArray(value) ? names : names[0])
    if (names.length > 0 && names.length === texts.length && written !== undefined) return `{ ${option}: ${written} }`
  }
  return undefined
}

/**
 * Reads what a route accepts.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`); names of data centers and channels are checked by a directory
 */
export function readPolicy(options: unknown): PolicyOptions {
  const example = policyNamedBy(options) ?? `{ channels: 'streams' }`
  const fix = `Write ${example}, or leave the policy out: then it is the guard's.`
  const reader = OptionReader.open(POLICY_OPTIONS, options, fix)
  reader.checkNames()
  const policy = reader.readAll() as PolicyOptions
  reader.throwMistakes()
  return policy
}

/** What to do where there are no options. */
export const NO_OPTIONS_FIX = `Write { dataCenters: 'DC-01' }.`

/** Options of the guards that stand in a framework, which log and answer: what to do where another guard has one. */
const OF_FRAMEWORKS = Object.fromEntries(
  ['mode', 'statusCode', 'onReject', 'onVerdict', 'logger', 'logLevel', 'log'].map((name) => [
    name,
    'Leave it out: this guard returns a verdict, and neither answers nor logs. The guards of frameworks have it: the Fastify plugin, ' +
      'and moengage-allowlist/express, /http, /fetch, /workers and /lambda.'
  ])
)

/**
 * Opens the options of a guard that stands in no framework.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`) where they are not an object with options
 */
export function openOptions(options: unknown): OptionReader<typeof GUARD_OPTIONS> {
  refuseFastify(options)
  return OptionReader.open(GUARD_OPTIONS, options, NO_OPTIONS_FIX, OF_FRAMEWORKS)
}

/** Reads options into settings, the names of data centers and channels excepted: those need the directory. */
export function readOptions<Request>(reader: OptionReader<typeof GUARD_OPTIONS>): Settings<Request> {
  const { resolver, header, trustedProxies, clientIp } = reader.read('clientIp')
  reader.checkNames()
  return {
    resolver,
    header,
    trustedProxies,
    clientIp: clientIp as Settings<Request>['clientIp'],
    selection: {
      dataCenters: reader.read('dataCenters') as GuardOptions['dataCenters'],
      channels: reader.read('channels')
    },
    allow: reader.read('allow'),
    deny: reader.read('deny'),
    source: reader.read('source'),
    confirm: reader.read('confirm'),
    gracePeriod: reader.read('gracePeriod'),
    staleAfter: reader.read('staleAfter'),
    rejectWhenStale: reader.read('rejectWhenStale'),
    onReload: reader.read('onReload'),
    watch: reader.read('watch'),
    onDrift: reader.read('onDrift'),
    fleet: reader.read('fleet'),
    cacheSize: reader.read('cacheSize'),
    redact: reader.read('redactAddress'),
    ...readEvidence(reader),
    warnings: reader.findings.warnings
  }
}

function readEvidence<Request>(
  reader: OptionReader<typeof GUARD_OPTIONS>
): Pick<Settings<Request>, 'carriesSecret' | 'expectSecret'> {
  const carriesSecret = reader.read('carriesSecret') as Settings<Request>['carriesSecret']
  const expectSecret = reader.read('expectSecret')
  const isRefused = reader.findings.mistakes.some(({ path }) => path === 'carriesSecret')
  if (expectSecret && carriesSecret === undefined && !isRefused) {
    reader.optionAt('expectSecret', true).refuse('There is no carriesSecret to ask for the secret.', EXPECT_SECRET_FIX)
  }
  return { carriesSecret, expectSecret }
}

function readClientIp(option: Option): Resolving | undefined {
  const { value } = option
  if (value === 'request.ip' || typeof value === 'function') return { ...NO_PROXIES, clientIp: value }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return { ...readResolver(OptionReader.inside(CLIENT_IP_OPTIONS, option)), clientIp: 'trusted-proxies' }
  }
  return option.refuse(`${shown(value)} does not say how to resolve the client IP.`, clientIpFix(option))
}

/** People pass the proxies or the header alone. */
function clientIpFix(option: Option): string {
  const proxies = literal([option.value].flat())
  const { value } = option
  const isHeader =
    typeof value === 'string' &&
    /^[a-z]+-[a-z-]+$/i.test(value) &&
    option.attempt({ trustedProxies: [], header: value }, readClientIp).length === 0
  const header = isHeader ? value : undefined
  const areProxies = option.attempt({ trustedProxies: [option.value].flat() }, readClientIp).length === 0
  const trustedProxies = areProxies && proxies !== undefined ? proxies : TRUSTED_PROXIES_EXAMPLE
  const members = [
    `trustedProxies: ${trustedProxies}`,
    ...(areProxies || header === undefined ? [] : [`header: '${header}'`])
  ]
  return `Write { ${members.join(', ')} }, 'request.ip' or a function.`
}

/** A list of the user's may change later; what was checked must not. */
export function copy<T>(value: T): T {
  return (Array.isArray(value) ? [...value] : value) as T
}
