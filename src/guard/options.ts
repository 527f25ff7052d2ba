import type { HeadersInput } from '../client-ip/headers.js'
import { type ClientIpOptions, readResolver } from '../client-ip/options.js'
import { ClientIpResolver } from '../client-ip/resolver.js'
import type { Selection } from '../directory/directory.js'
import type { Channel, DataCenterName } from '../directory/names.js'
import { OptionsError } from '../errors.js'
import type { Prefix } from '../ip/prefix.js'
import { checkNames, mistake, type Report, shown } from '../lib/option-reader.js'
import type { Problem } from '../problem.js'
import { type Redact, type RedactAddress, readRedaction } from '../senders/redact.js'
import { readExtraAddresses } from './extra-addresses.js'
import { type ListOptions, type ListSettings, readListOptions } from './list-options.js'

/** What `judge` of a guard needs to know of a request. */
export interface GuardRequest {
  /**
   * The socket's remote address (`request.socket.remoteAddress`), or `'unix'` for a connection over a unix socket. Without
   * one the client IP is unresolved.
   */
  readonly peer: string | null | undefined
  /** `request.headers`, or `request.rawHeaders`. */
  readonly headers: HeadersInput
}

/** What one route accepts; what is left out is taken from the guard's options. */
export interface PolicyOptions {
  /** One data center, several, or `'all'`. Text from outside, in any spelling, goes through `parseDataCenter`. */
  readonly dataCenters?: 'all' | DataCenterName | readonly DataCenterName[] | undefined
  /** `'all'` or channels (`'all'`). Text from outside goes through `parseChannel`. */
  readonly channels?: 'all' | Channel | readonly Channel[] | undefined
}

/** Options of a guard without a framework. */
export interface GuardOptions<Request = GuardRequest> extends PolicyOptions, ListOptions {
  /** One data center, several, or `'all'`. Text from outside, in any spelling, goes through `parseDataCenter`. */
  readonly dataCenters: 'all' | DataCenterName | readonly DataCenterName[]
  /**
   * How the client IP is told: `'request.ip'` is the framework's own (without one: the peer), an object our own resolver,
   * a function whatever it gives back (`'request.ip'`).
   */
  readonly clientIp?: 'request.ip' | ClientIpOptions | ((request: Request) => string | undefined) | undefined
  /** Further addresses or prefixes to accept, on every route (`[]`). */
  readonly allow?: readonly string[] | undefined
  /** Addresses or prefixes to reject, whatever else accepts them (`[]`). */
  readonly deny?: readonly string[] | undefined
  /** How many addresses are remembered: verified senders to be quick, rejected ones to be listed (`10_000`). */
  readonly cacheSize?: number | undefined
  /** What stands for an address in log lines, events and `senders()` (the address). */
  readonly redactAddress?: RedactAddress | undefined
}

/** Options that were found right. */
export interface Settings<Request> extends ListSettings {
  readonly selection: Selection
  readonly resolver: ClientIpResolver
  /** How the client IP is told where it is not our resolver. */
  readonly clientIp: 'request.ip' | 'trusted-proxies' | ((request: Request) => string | undefined)
  /** The header that our resolver reads; null where something else tells the client IP. */
  readonly header: string | null
  readonly trustedProxies: readonly Prefix[]
  readonly allow: readonly Prefix[]
  readonly deny: readonly Prefix[]
  readonly cacheSize: number
  readonly redact: Redact | undefined
  readonly warnings: readonly Problem[]
}

const GUARD_OPTIONS = [
  'dataCenters',
  'channels',
  'clientIp',
  'allow',
  'deny',
  'source',
  'confirm',
  'gracePeriod',
  'staleAfter',
  'rejectWhenStale',
  'onReload',
  'cacheSize',
  'redactAddress'
]

/**
 * Reads options into settings, the names of data centers and channels excepted: those need the directory.
 *
 * @param further names of options that the caller reads itself
 * @param mistakes what the caller found so far; whatever is found here is added
 */
export function readOptions<Request>(
  options: GuardOptions<Request>,
  further: readonly string[],
  mistakes: Problem[]
): Settings<Request> {
  const warnings: Problem[] = []
  const refuse: Report = (problem) => mistakes.push(problem)
  const warn: Report = (problem) => warnings.push(problem)
  if (typeof options !== 'object' || options === null) {
    throw new OptionsError(
      [mistake('', options, 'There are no options.', `Pass at least { dataCenters: 'DC-01' }.`)],
      options
    )
  }
  checkNames(options, [...GUARD_OPTIONS, ...further], '', refuse)
  if (options.dataCenters === undefined) {
    refuse(
      mistake(
        'dataCenters',
        undefined,
        'It is missing.',
        `Name your data center: dataCenters: 'DC-01', as in https://dashboard-01.moengage.com.`
      )
    )
  }
  const { clientIp = 'request.ip', cacheSize = 10_000 } = options
  const resolving = readClientIp(clientIp, refuse, warn)
  const allow = readExtraAddresses(options.allow, 'allow', refuse, warn)
  const deny = readExtraAddresses(options.deny, 'deny', refuse, warn)
  const isSize = Number.isInteger(cacheSize) && cacheSize >= 1 && cacheSize <= 1_000_000
  if (!isSize) {
    refuse(
      mistake(
        'cacheSize',
        cacheSize,
        `${shown(cacheSize)} is not a number of addresses.`,
        'Write a whole number from 1 to 1000000.'
      )
    )
  }
  const dataCenters = copy(options.dataCenters)
  const channels = copy(options.channels)
  return {
    ...resolving,
    ...readListOptions(options, refuse),
    selection: { dataCenters, channels },
    allow,
    deny,
    cacheSize: isSize ? cacheSize : 1,
    redact: readRedaction(options.redactAddress, mistakes),
    warnings
  }
}

function readClientIp<Request>(
  value: unknown,
  refuse: Report,
  warn: Report
): Pick<Settings<Request>, 'resolver' | 'clientIp' | 'header' | 'trustedProxies'> {
  const without = { resolver: NO_PROXIES, header: null, trustedProxies: [] }
  if (value === 'request.ip' || typeof value === 'function') {
    return { ...without, clientIp: value as Settings<Request>['clientIp'] }
  }
  if (typeof value !== 'object' || value === null) {
    refuse(
      mistake(
        'clientIp',
        value,
        `${shown(value)} is no way to tell the client IP.`,
        `Write 'request.ip', { trustedProxies: [...] } or a function.`
      )
    )
    return { ...without, clientIp: 'request.ip' }
  }
  return { ...readResolver(value as ClientIpOptions, 'clientIp', refuse, warn), clientIp: 'trusted-proxies' }
}

const NO_PROXIES = new ClientIpResolver({
  trustedProxies: [],
  trustUnix: false,
  header: 'x-forwarded-for',
  requireHeader: false
})

/** A list of the user's may change later; what was checked must not. */
export function copy<T>(value: T): T {
  return (Array.isArray(value) ? [...value] : value) as T
}
