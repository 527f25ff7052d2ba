import { directory } from 'moengage-allowlist/core'
import { Random } from '../measure/random.js'

/** Who sends: MoEngage, or strangers, each from an address that was never seen. */
export type Traffic = 'listed' | 'strangers'

/** Hands out one request after the other. */
export type Requests = () => Buffer

/** More requests than are ever under way: each is used again, ten thousand times or more, with another address written into it. */
const TEMPLATES = 256

/** A connector campaign's call. */
const BODY = JSON.stringify({
  type: 'connector',
  campaign: { id: '64f0c0ffee', name: 'Cart reminder' },
  user: { id: 'u-1001', email: 'someone@example.com', first_name: 'Some' },
  attributes: { cart_value: 4999, currency: 'INR', items: ['sku-1', 'sku-2'] }
})

/** Whole requests as they come over the wire, from behind one proxy that names the client. */
export function makeRequests(traffic: Traffic): Requests {
  const random = new Random(11)
  let next = 0
  if (traffic === 'listed') {
    const listed = [...new Set(directory.entries.map(({ prefix }) => `${prefix.address}`))]
    const requests = random.shuffle(listed).slice(0, 8).map(request)
    return () => requests[next++ % requests.length]!
  }
  const templates = strangers(random).map((client) => {
    const bytes = request(client)
    const from = bytes.indexOf(client)
    // All digits but the first of each octet.
    const digits = [...client].flatMap((char, i) =>
      char === '.' || i === 0 || client[i - 1] === '.' ? [] : [from + i]
    )
    return { bytes, digits }
  })
  return () => {
    const { bytes, digits } = templates[next % TEMPLATES]!
    let rest = Math.floor(next++ / TEMPLATES)
    for (const at of digits) {
      bytes[at] = ZERO + (rest % 10)
      rest = Math.floor(rest / 10)
    }
    return bytes
  }
}

/** Addresses of which no two become the same when all digits but the first of each octet change. */
function strangers(random: Random): string[] {
  const byShape = new Map<string, string>()
  while (byShape.size < TEMPLATES) {
    // Outside of private space, with two to three digits an octet.
    const client = `${20 + random.below(80)}.${octet(random)}.${octet(random)}.${octet(random)}`
    byShape.set(client.replace(/\B\d/g, '_'), client)
  }
  return [...byShape.values()]
}

const ZERO = 48

const octet = (random: Random) => (random.below(2) === 0 ? 10 + random.below(90) : 100 + random.below(100))

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
