import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { NodeIncoming } from '../client-ip/incoming.js'
import type { Framework } from '../guard/create-guard.js'
import { drop, isPromise } from '../lib/promise.js'

/** Whether the proxy at a hop, counted from the socket, is believed: the user's own function, or what Express compiles its setting to. */
type Trust = (address: string, hop: number) => unknown

/** Whether an address is believed, as the framework takes the answer: a promise counts as true. A function of the user's may fail for a stranger. */
function believes(ask: () => unknown): boolean {
  try {
    const answer = ask()
    drop(answer)
    return Boolean(answer)
  } catch (error) {
    drop(error)
    return false
  }
}

/**
 * Whether a function of the user's returns a promise for a hop of a request, which the framework would take for "yes". It is called for the
 * hops that the framework will ask about.
 */
function returnsPromise(trust: Trust, { socket, headers }: IncomingMessage): boolean {
  const forwarded = headers['x-forwarded-for']
  const hops = [socket.remoteAddress, ...(typeof forwarded === 'string' ? forwarded.split(',').reverse() : [])]
  try {
    // The last one is the client, whoever it is.
    for (const [hop, address] of hops.slice(0, -1).entries()) {
      // A peer on a unix socket has no address.
      const answer = trust(address?.trim() as string, hop)
      if (isPromise(answer)) {
        drop(answer)
        return true
      }
      if (!answer) break
    }
  } catch (error) {
    // The framework gets the error as well.
    drop(error)
  }
  return false
}

/** In the place of `request.ip`, where that is not read: each call of a function that returns a promise would leave one unhandled. */
const ANYBODY = Symbol('anybody')

/** Strangers, by parts of the address space: trusting every address of one part means trusting the internet. */
const STRANGERS = [
  ['1.1.1.1', '9.9.9.9', '100.1.2.3'],
  ['192.0.2.1', '198.51.100.1', '203.0.113.1'],
  ['2001:db8::1', '2001:db8:ffff::1']
] as const

/** Whether a framework believes the forwarded header of strangers, probed with addresses that are made up. */
function trustsStrangers(trusts: (address: string) => boolean): boolean {
  return STRANGERS.some((family) => family.every(trusts))
}

const CLAIMED = '192.0.2.99'

/** Maximum number of chains of trusted proxies that are remembered; they are forgotten together. */
const MAX_CHAINS = 1000

/** How many proxies in a row are tried. */
const MAX_PROXIES = 32

/**
 * Fastify's `request.ip`. A stranger as the peer is tried on the first request. A function may believe strangers only behind a proxy that it
 * knows, so they are tried at each place of a chain of proxies as well, when a request comes through it for the first time.
 */
export function fastifyIp(app: FastifyInstance): Framework<FastifyRequest> {
  const trust = trustFunctionOf(app)
  let permissive: boolean | undefined
  const chains = new Set<string>()

  /** Whether the address that the last of some hops forwards is believed; the peer is the first. */
  function believesBehind(hops: readonly string[], request: FastifyRequest): boolean {
    if (trust !== undefined) return hops.every((address, hop) => believes(() => trust(address, hop)))
    const [peer, ...others] = hops
    return believes(() => ipOf(request, peer!, [CLAIMED, ...others.reverse()].join()) === CLAIMED)
  }

  /** Whether a stranger is believed who connects to the last of some proxies, the peer first; without proxies, to the server. */
  function believesStrangerBehind(proxies: readonly string[], request: FastifyRequest): boolean {
    return trustsStrangers((stranger) => believesBehind([...proxies, stranger], request))
  }

  /** Whether strangers are believed at a place of the chain that a request came through. */
  function isPermissiveOn(request: FastifyRequest, client: string): boolean {
    const { socket, headers } = request.raw
    const chain = `${socket.remoteAddress}${hopsBehind(client, headers)}`
    if (chains.has(chain)) return false
    const proxies = (request.ips ?? []).slice(0, -1).slice(0, MAX_PROXIES)
    if (proxies.some((_, hop) => believesStrangerBehind(proxies.slice(0, hop + 1), request))) return true
    if (chains.size === MAX_CHAINS) chains.clear()
    chains.add(chain)
    return false
  }

  return {
    // Of an event of Lambda the peer is what AWS writes, and request.ip that of a socket that nobody connected to.
    handles: (request, incoming) => request !== undefined && incoming instanceof NodeIncoming,
    ip: (request) => {
      permissive ??= believesStrangerBehind([], request)
      if (!permissive && trust !== undefined) permissive = returnsPromise(trust, request.raw)
      return permissive ? ANYBODY : request.ip
    },
    // Without trustProxy there are no ips; with it, they end with the client.
    trustsClient: (request) => request.ips !== undefined && believesBehind(request.ips, request),
    isPermissive: (request, forwarded) => {
      if (typeof forwarded === 'string' && isPermissiveOn(request, forwarded)) permissive = true
      return permissive === true
    },
    permissiveTrust:
      "Fastify's trustProxy believes every sender's X-Forwarded-For (true and a function that returns a promise both do), so anyone can " +
      "choose their address. List your proxies' addresses in trustProxy, or pass them as clientIp: { trustedProxies: [...] }.",
    setting: "Fastify's trustProxy",
    note: ' (a number there trusts nobody since Fastify 5.12.1)',
    handled: 'requests that Fastify handles over a socket',
    whyUnhandled: (request) =>
      request === undefined ? 'Fastify does not handle it' : 'its peer is what AWS writes into the event'
  }
}

/** What a forwarded header names right of the client: the proxies between it and the peer. */
function hopsBehind(client: string, headers: IncomingHttpHeaders): string {
  const header = headers['x-forwarded-for']
  return typeof header === 'string' ? header.slice(header.lastIndexOf(client) + client.length) : ''
}

/**
 * Fastify's `trustProxy`, where it is a function. Nothing public holds it; without it `request.ip` is probed as where `trustProxy` is a list,
 * and what the function returns is not seen.
 */
function trustFunctionOf(app: FastifyInstance): Trust | undefined {
  for (let scope: object | null = app; scope !== null; scope = Object.getPrototypeOf(scope)) {
    const key = Object.getOwnPropertySymbols(scope).find(({ description }) => description === 'fastify.options')
    if (key !== undefined) {
      const { trustProxy } = (scope as Record<symbol, { readonly trustProxy?: unknown }>)[key]!
      return typeof trustProxy === 'function' ? (trustProxy as Trust) : undefined
    }
  }
  return undefined
}

/** `request.ip` of an object that is made on the request's own prototype, with a peer and a header that are made up. */
function ipOf(request: FastifyRequest, remoteAddress: string, forwarded: string): unknown {
  const socket = { remoteAddress }
  const raw = { socket, connection: socket, headers: { 'x-forwarded-for': forwarded } }
  return (Object.create(Object.getPrototypeOf(request), { raw: { value: raw } }) as { ip?: unknown }).ip
}

/** Hops that are tried: a number of hops trusts anybody at the first ones, a function perhaps only at later ones. */
const HOPS = Array.from({ length: MAX_PROXIES }, (_, hop) => hop)

/** Express's `request.ip`. */
export function expressIp(): Framework<IncomingMessage> {
  // A setting that is changed is compiled to another function.
  const permissive = new WeakMap<Trust, boolean>()
  function isPermissive(trust: Trust): boolean {
    let known = permissive.get(trust)
    if (known === undefined) {
      known = HOPS.some((hop) => trustsStrangers((stranger) => believes(() => trust(stranger, hop))))
      permissive.set(trust, known)
    }
    return known
  }

  return {
    handles: (request) => request !== undefined && trustOf(request) !== undefined,
    ip: (request) => {
      const trust = trustOf(request)!
      if (!isPermissive(trust) && isOfUser(trust, request) && returnsPromise(trust, request))
        permissive.set(trust, true)
      return isPermissive(trust) ? ANYBODY : (request as { ip?: unknown }).ip
    },
    trustsClient: (request) => {
      const { ip, ips } = request as IncomingMessage & { readonly ip: string; readonly ips: readonly string[] }
      // Express leaves the peer out of the ips, so their number is the hop of the client.
      return believes(() => trustOf(request)!(ip, ips.length))
    },
    isPermissive: (_, forwarded) => forwarded === ANYBODY,
    permissiveTrust:
      "Express's 'trust proxy' believes the X-Forwarded-For of people it cannot know (true, a number of hops and a function that returns a " +
      "promise all do), so anyone can choose their address. List your proxies' addresses in 'trust proxy', or pass them as " +
      'clientIp: { trustedProxies: [...] }.',
    setting: "Express's 'trust proxy'",
    note: '',
    handled: 'requests that Express handles',
    whyUnhandled: () => 'Express does not handle it'
  }
}

/** Whether Express asks the user's own function, and not what it compiled a setting to. */
const isOfUser = (trust: Trust, request: IncomingMessage) =>
  (request as { app?: { get(setting: string): unknown } }).app!.get('trust proxy') === trust

function trustOf(request: IncomingMessage): Trust | undefined {
  const { app } = request as { app?: { get?: (setting: string) => unknown } }
  const trust = typeof app?.get === 'function' ? app.get('trust proxy fn') : undefined
  return typeof trust === 'function' ? (trust as Trust) : undefined
}
