import { isIP } from 'node:net'
import { type Address, parseAddress } from '../ip/address.js'
import { fetchOnce, proxyFor, type Way } from '../lib/forward-proxy.js'
import { messageOf, quoted, readText, withoutSecrets } from '../lib/text.js'
import { numberOf } from './block.js'
import type { ReadEntry } from './entries.js'
import { readValue } from './value.js'

/** How echo services are asked. */
export interface VerifyOptions {
  /** Services that answer with the address that they see. */
  readonly urls: readonly URL[]
  /** How often each is asked, over each family: a NAT gateway or proxy may send from several addresses in turn. */
  readonly times: number
  readonly env: Readonly<Record<string, string | undefined>>
  /** Milliseconds for one answer. */
  readonly timeout: number
}

/** An address that a service saw. */
export interface SeenAddress {
  readonly address: string
  /** How often it was seen. */
  readonly count: number
  /** The entry of the list that holds it, as `203.0.113.0/24 (line 3)`; null where none does. */
  readonly listedAs: string | null
}

/** What came of asking one service in one way. */
export interface EchoResult {
  /** Without its query, which often holds a token. */
  readonly url: string
  /** `IPv4`, `IPv6`, or the proxy through which it was asked, which chooses the family itself. */
  readonly way: string
  readonly seen: readonly SeenAddress[]
  /** Why it did not answer the last time; null where it always did. */
  readonly failure: string | null
}

/** What this machine sends from, compared with a list. */
export interface Verification {
  /**
   * `listed`: every service answered, with listed addresses only; `unlisted`: an address is not on the list; `unknown`: a service
   * did not answer at all.
   */
  readonly outcome: 'listed' | 'unlisted' | 'unknown'
  readonly results: readonly EchoResult[]
  /** Why requests to MoEngage may leave otherwise than these did. */
  readonly doubts: readonly string[]
}

/** Any of MoEngage's hosts: a proxy is chosen by it. */
const MOENGAGE = new URL('https://api-01.moengage.com')

/**
 * Asks echo services from which addresses this machine sends.
 *
 * @throws Error when a variable does not name a proxy
 */
export async function verifyEgress(entries: readonly ReadEntry[], options: VerifyOptions): Promise<Verification> {
  const { urls, env } = options
  const ways = urls.flatMap((url) => waysTo(url, env).map((way) => ({ url, way })))
  const results = await Promise.all(ways.map(({ url, way }) => askOften(url, way, entries, options)))
  const isUnlisted = results.some(({ seen }) => seen.some(({ listedAs }) => listedAs === null))
  const isUnknown = urls.some((asked) => results.every(({ seen }, i) => ways[i]!.url !== asked || seen.length === 0))
  return {
    outcome: isUnlisted ? 'unlisted' : isUnknown ? 'unknown' : 'listed',
    results,
    doubts: urls.flatMap((url) => doubtAbout(url, env))
  }
}

function waysTo(url: URL, env: VerifyOptions['env']): Way[] {
  const proxy = proxyFor(url, env)
  if (proxy !== undefined) return [proxy]
  const literal = isIP(url.hostname.replaceAll(/[[\]]/g, ''))
  return ([4, 6] as const).filter((family) => literal === 0 || literal === family).map((family) => ({ family }))
}

function doubtAbout(url: URL, env: VerifyOptions['env']): string[] {
  const used = proxyFor(url, env)?.name
  const usual = proxyFor(MOENGAGE, env)?.name
  if (used === usual) return []
  const path = (name: string | undefined) => (name === undefined ? 'directly' : `through the proxy ${name}`)
  return [`${url.host} was asked ${path(used)}, but requests to ${MOENGAGE.host} leave ${path(usual)}.`]
}

async function askOften(
  url: URL,
  way: Way,
  entries: readonly ReadEntry[],
  options: VerifyOptions
): Promise<EchoResult> {
  const counts = new Map<string, { address: Address; count: number }>()
  let failure: string | null = null
  for (let i = 0; i < options.times; i++) {
    try {
      const address = await ask(url, way, options.timeout)
      const one = counts.get(`${address}`) ?? { address, count: 0 }
      counts.set(`${address}`, one)
      one.count++
    } catch (error) {
      failure = withoutSecrets(messageOf(error))
      // A family that this machine does not have fails at once and always.
      if (counts.size === 0) break
    }
  }
  const seen = [...counts.values()].map(({ address, count }) => {
    return { address: `${address}`, count, listedAs: entryOf(address, entries) }
  })
  const named = 'family' in way ? `IPv${way.family}` : `through the proxy ${way.name}`
  return { url: withoutSecrets(url.href), way: named, seen, failure }
}

function entryOf(address: Address, entries: readonly ReadEntry[]): string | null {
  const number = numberOf(address)
  const entry = entries.find(({ block: { family, first, last } }) => {
    return family === address.family && first <= number && number <= last
  })
  return entry === undefined ? null : `${entry.value} (${entry.path})`
}

/** An answer is an address, or JSON with one: an answer that is longer is a page. */
const MAX_BYTES = 10_000

async function ask(url: URL, way: Way, timeout: number): Promise<Address> {
  const headers = new Headers({ accept: 'text/plain, application/json', 'cache-control': 'no-cache' })
  const init = { headers, redirect: 'manual', signal: AbortSignal.timeout(timeout) } as const
  const response = await fetchOnce(way, url, init)
  const text = response.body === null ? '' : await readText(response.body, MAX_BYTES)
  if (response.status !== 200) throw new Error(`It answers with status ${response.status}.`)
  const address = readEcho(text.trim())
  if (address === undefined) throw new Error(`It answers with ${quoted(text.trim())}, which is not an address.`)
  const value = readValue(`${address}`)
  if ('message' in value) throw new Error(`It is inside of your network. ${value.message}`)
  return address
}

/** Reads `203.0.113.9`, `"203.0.113.9"`, or an object with the address as `ip`, `address` or `origin`. */
function readEcho(text: string): Address | undefined {
  if (!/^["{]/.test(text)) return parseAddress(text)
  try {
    const value = JSON.parse(text)
    return parseAddress(typeof value === 'string' ? value : (value.ip ?? value.address ?? value.origin))
  } catch {
    return undefined
  }
}
