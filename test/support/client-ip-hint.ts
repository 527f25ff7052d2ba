import type { ClientIpOptions } from '../../src/core.js'

/** The `clientIp` that a hint says to pass, completed with what it leaves to the reader: all of the proxies, and the header. */
export function clientIpOf(hint: string, proxies: string, header: string): ClientIpOptions {
  const [, trusted, headerPart] =
    /pass clientIp: { trustedProxies: \[(.*?)\](, header: '\.\.\.')? } with/.exec(hint) ?? []
  if (trusted === undefined) throw new Error(`No clientIp in: ${hint}`)
  const named = [...trusted.matchAll(/'([^']+)'/g)].map(([, name]) => name!)
  return { trustedProxies: [...named, proxies], ...(headerPart !== undefined && { header }) }
}
