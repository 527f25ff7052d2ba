import { builtin } from './builtin.js'

/** A proxy of one's own network, through which requests leave it, as the environment names it. */
export interface ForwardProxy {
  /** With the name and password, if there are any. */
  readonly url: URL
  /** What errors call it: the proxy without name and password, and the variable that names it. */
  readonly name: string
}

/**
 * The proxy for a URL: `HTTPS_PROXY` for https, `HTTP_PROXY` for http, unless `NO_PROXY` lists the host. Each variable is
 * also read in lower case, which wins, as in curl. A proxy without a scheme is an http proxy. This machine itself
 * (`localhost`, `127.0.0.0/8`, `::1`) is never reached through a proxy, whose own machine would answer.
 *
 * @throws Error when the variable is set and does not name an http or https proxy
 */
export function proxyFor(url: URL, env: Readonly<Record<string, string | undefined>>): ForwardProxy | undefined {
  const upper = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const variable = env[upper.toLowerCase()] ? upper.toLowerCase() : upper
  const value = env[variable]?.trim()
  if (!value || isExcepted(url, `localhost,127.0.0.0/8,::1,${env.no_proxy || env.NO_PROXY || ''}`)) return undefined
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`
  const proxy = URL.canParse(text) ? new URL(text) : undefined
  // The value may hold a password, so it is not quoted.
  if (proxy === undefined || !/^https?:$/.test(proxy.protocol) || proxy.hostname === '') {
    throw new Error(`${variable} does not name an http or https proxy. Write it like http://proxy.example.com:3128.`)
  }
  return { url: proxy, name: `${proxy.protocol}//${proxy.host} (${variable})` }
}

/** Whether a list such as `localhost,.example.com,10.0.0.0/8,[::1]:8080` holds the host of a URL. */
function isExcepted({ protocol, hostname, port }: URL, list: string): boolean {
  const { isIP } = builtin('node:net')
  const host = hostname.replaceAll(/^\[|\]$/g, '').replace(/\.$/, '')
  const usedPort = port || (protocol === 'https:' ? '443' : '80')
  return list.split(/[\s,]+/).some((entry) => {
    // The colons of a bare IPv6 address do not begin a port.
    const [, name, entryPort] = isIP(entry) === 0 ? /^(.*?)(?::(\d+))?$/.exec(entry)! : [entry, entry]
    if (entryPort !== undefined && entryPort !== usedPort) return false
    return isIP(host) === 0 ? matchesName(host, name!) : holdsAddress(host, name!)
  })
}

function matchesName(host: string, entry: string): boolean {
  const name = entry
    .toLowerCase()
    .replace(/^\*?\./, '')
    .replace(/\.$/, '')
  return entry === '*' || (name !== '' && (host === name || host.endsWith(`.${name}`)))
}

function holdsAddress(host: string, entry: string): boolean {
  const { BlockList, isIP } = builtin('node:net')
  const [address, length] = entry.replaceAll(/[[\]]/g, '').split('/') as [string, string?]
  const family = isIP(address)
  if (entry === '*' || family === 0 || family !== isIP(host)) return entry === '*'
  const bits = family === 4 ? 32 : 128
  const wanted = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN
  if (!(wanted <= bits)) return false
  const held = new BlockList()
  held.addSubnet(address, wanted, `ipv${family as 4 | 6}`)
  return held.check(host, `ipv${family as 4 | 6}`)
}

/** How a request leaves this machine: through a proxy, or directly over one family of addresses. */
export type Way = ForwardProxy | { readonly family: 4 | 6 }

/**
 * Fetches over a connection of its own, which ends with the body: https through a proxy's tunnel (`CONNECT`), http by handing
 * the request to the proxy, as curl does. Node's own `fetch` knows no proxies before Node 22.21 and chooses the family
 * itself, so this is undici's, which is loaded here only.
 *
 * @throws Error whose message is that of the first cause
 */
export async function fetchOnce(
  way: Way,
  url: URL,
  init: { readonly headers: Headers; readonly redirect: 'manual'; readonly signal: AbortSignal }
): Promise<Response> {
  const { Agent, fetch, ProxyAgent } = await import('#undici')
  const dispatcher =
    'family' in way
      ? new Agent({ connect: { family: way.family, autoSelectFamily: false } })
      : new ProxyAgent({ uri: way.url.href, proxyTunnel: url.protocol === 'https:' })
  try {
    const response = await fetch(url, { ...init, headers: [...init.headers], dispatcher })
    void dispatcher.close()
    return response as unknown as Response
  } catch (error) {
    void dispatcher.destroy()
    throw init.signal.aborted ? init.signal.reason : firstCause(error as Error)
  }
}

/** undici hides what happened behind "fetch failed" and "Request was cancelled". */
function firstCause(error: Error): Error {
  if (error.cause instanceof Error) return firstCause(error.cause)
  const [, status] = /^Proxy response \((\d+)\)/.exec(error.message) ?? []
  if (status !== undefined) return new Error(`The proxy refuses the tunnel with status ${status}`)
  // Where each address of a name refused, there is a code but no message.
  return error.message === '' ? new Error((error as NodeJS.ErrnoException).code) : error
}
