import type { IncomingMessage } from 'node:http'
import type { Framework } from '../guard/create-guard.js'
import { trustsStrangers } from './strangers.js'

/** What Express compiles its setting `trust proxy` to: whether the proxy at a hop, counted from the socket, is believed. */
type Trust = (address: string, hop: number) => boolean

/** Hops that are tried: a number of hops trusts anybody at the first ones, a function perhaps only at later ones. */
const HOPS = Array.from({ length: 32 }, (_, hop) => hop)

/** Express's `request.ip`; the peer where there is no Express. */
export function expressIp(): Framework<IncomingMessage> {
  // A setting that is changed is compiled to another function.
  const permissive = new WeakMap<Trust, boolean>()
  return {
    ip: (request) => (trustOf(request) === undefined ? request.socket.remoteAddress : (request as { ip?: unknown }).ip),
    isPermissive: (request) => {
      const trust = trustOf(request)
      if (trust === undefined) return false
      let known = permissive.get(trust)
      if (known === undefined) {
        known = HOPS.some((hop) => trustsStrangers((stranger) => trust(stranger, hop)))
        permissive.set(trust, known)
      }
      return known
    },
    permissiveTrust:
      "Express's 'trust proxy' believes the X-Forwarded-For of people it cannot know (true and a number of hops both do), so " +
      "anyone can choose their address. List your proxies' addresses in 'trust proxy', or pass them as " +
      'clientIp: { trustedProxies: [...] }.',
    trustFix: ", or list it in Express's 'trust proxy'"
  }
}

function trustOf(request: IncomingMessage): Trust | undefined {
  const { app } = request as { app?: { get?: (setting: string) => unknown } }
  const trust = typeof app?.get === 'function' ? app.get('trust proxy fn') : undefined
  return typeof trust === 'function' ? (trust as Trust) : undefined
}
