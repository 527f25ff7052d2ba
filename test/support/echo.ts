import dns from 'node:dns'
import { createServer, type RequestListener } from 'node:http'
import { isIP } from 'node:net'
import type { Test } from 'tap'
import { listenOn } from './forward-proxy.js'

/** Answers with a text; each request takes the next one, and the last one stays. */
export function answering(...texts: readonly string[]): RequestListener {
  let asked = 0
  return (_request, response) => response.end(texts[Math.min(asked++, texts.length - 1)])
}

/** A real server on loopback over IPv4, and on the same port over IPv6 if that is asked for. */
export async function echoServer(t: Test, ipv4: RequestListener, ipv6?: RequestListener): Promise<number> {
  const port = await listenOn(t, createServer(ipv4))
  if (ipv6 !== undefined) await listenOn(t, createServer(ipv6), '::1', port)
  return port
}

interface Found {
  readonly address: string
  readonly family: 4 | 6
}
type Callback = (error: NodeJS.ErrnoException | null, found?: string | Found[], family?: number) => void

/** Lets names mean loopback until the test ends, for the families that they have; any other name is unknown. */
export function resolveNames(t: Test, names: Readonly<Record<string, readonly (4 | 6)[]>>): void {
  const { lookup } = dns
  t.teardown(() => {
    dns.lookup = lookup
  })
  dns.lookup = ((name: string, ...rest: [options: { family?: number; all?: boolean }, done: Callback]) => {
    if (isIP(name) !== 0) return (lookup as (...all: unknown[]) => void)(name, ...rest)
    const [{ family, all }, done] = rest
    const found = (names[name] ?? []).filter((one) => !family || one === family)
    const addresses = found.map((one): Found => ({ address: one === 4 ? '127.0.0.1' : '::1', family: one }))
    const [first] = addresses
    if (first === undefined) {
      done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' }))
    } else if (all) done(null, addresses)
    else done(null, first.address, first.family)
  }) as typeof dns.lookup
}
