import { directory } from 'moengage-allowlist/core'
import { dotted } from '../matcher/lists.js'
import { Random } from '../measure/random.js'

/** Who sends: MoEngage, or strangers, each from an address that was never seen. */
export type Traffic = 'listed' | 'strangers'

/** More than any guard remembers, so that a flood never repeats itself within reach. */
const STRANGERS = 20_000

/** A connector campaign's call. */
const BODY = JSON.stringify({
  type: 'connector',
  campaign: { id: '64f0c0ffee', name: 'Cart reminder' },
  user: { id: 'u-1001', email: 'someone@example.com', first_name: 'Some' },
  attributes: { cart_value: 4999, currency: 'INR', items: ['sku-1', 'sku-2'] }
})

/** Whole requests as they come over the wire, from behind one proxy that names the client. */
export function makeRequests(traffic: Traffic): Buffer[] {
  const random = new Random(11)
  if (traffic === 'strangers') {
    return Array.from({ length: STRANGERS }, () => request(dotted(0x01000000 + random.below(0xdf000000))))
  }
  const listed = [...new Set(directory.entries.map(({ prefix }) => `${prefix.address}`))]
  return random.shuffle(listed).slice(0, 8).map(request)
}

function request(client: string): Buffer {
  const lines = [
    'POST /moengage/connector HTTP/1.1',
    'Host: hooks.example.com',
    'User-Agent: webhook/1.0',
    'Accept: */*',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(BODY)}`,
    `X-Forwarded-For: ${client}`,
    'X-Forwarded-Proto: https'
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${BODY}`, 'latin1')
}
