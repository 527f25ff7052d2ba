/** Addresses that are nobody's (RFC 5737, RFC 3849), by family: whoever trusts all of a family trusts everyone. */
const STRANGERS = [
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
