/** Strangers, by parts of the address space: whoever trusts all of one part trusts people that nobody can know. */
const STRANGERS = [
  ['1.1.1.1', '9.9.9.9', '100.1.2.3'],
  ['192.0.2.1', '198.51.100.1', '203.0.113.1'],
  ['2001:db8::1', '2001:db8:ffff::1']
] as const

const CLAIMED = '192.0.2.99'

/**
 * Whether a Fastify believes the forwarded header of people it cannot know. Its `trustProxy` cannot be asked for, so it is
 * tried: `request.ip` is read from an object made on the request's own prototype, with a peer and a header made up.
 */
export function trustsStrangers(request: object): boolean {
  const ipOf = (remoteAddress: string): unknown => {
    const socket = { remoteAddress }
    const raw = { socket, connection: socket, headers: { 'x-forwarded-for': CLAIMED } }
    return (Object.create(Object.getPrototypeOf(request), { raw: { value: raw } }) as { ip?: unknown }).ip
  }
  return STRANGERS.some((family) => family.every((stranger) => ipOf(stranger) === CLAIMED))
}

/** For the log, where {@link trustsStrangers}. */
export const PERMISSIVE_TRUST =
  "Fastify's trustProxy believes every sender's X-Forwarded-For, so anyone can choose their address. List your proxies' " +
  'addresses in trustProxy, or pass them as clientIp: { trustedProxies: [...] }.'

/** What can be done in Fastify about a proxy that is not trusted. */
export const TRUST_PROXY_FIX =
  ", or list it in Fastify's trustProxy (a number there trusts nobody since Fastify 5.12.1)"
