import proxyAddr from '@fastify/proxy-addr'
import fc from 'fast-check'
import t from 'tap'
import { createClientIpResolver, parseAddress } from '../../src/core.js'
import { runs } from '../support/properties.js'

const assert = (property: fc.IRawProperty<unknown>) => fc.assert(property, runs(2000))

const PEER = '10.0.0.1'
const TRUSTED = ['10.0.0.0/8', '192.168.0.0/16', 'fd00::/8']
const xff = createClientIpResolver({ trustedProxies: TRUSTED })
const forwarded = createClientIpResolver({ trustedProxies: TRUSTED, header: 'forwarded' })

const stranger = fc.oneof(
  fc.tuple(fc.integer({ min: 11, max: 191 }), fc.nat(255), fc.nat(255), fc.nat(255)).map((octets) => octets.join('.')),
  fc.ipV6().filter((text) => !/^fd/i.test(text) && new URL(`http://[${text}]`).hostname.indexOf('[::ffff:') !== 0)
)
const hop = fc.oneof(
  fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)).map((octets) => `10.${octets.join('.')}`),
  fc.nat(0xffff).map((group) => `fd00::${group.toString(16)}`)
)
/** `@fastify/proxy-addr` takes ::10.0.0.1 for 10.0.0.1, and with that a stranger for a trusted proxy. */
const plain = fc.oneof(stranger, hop).filter((text) => !(text.includes(':') && text.includes('.')))
/** What an attacker writes: anything, and above all what looks like the header itself. */
const piece = fc.oneof(
  fc.constantFrom(
    'for=',
    '"',
    '\\',
    ',',
    ';',
    '=',
    ' ',
    '\t',
    '[',
    ']',
    ':',
    '_x',
    'unknown',
    'for="',
    'host="',
    '%',
    '""'
  ),
  stranger,
  hop,
  fc.string({ maxLength: 6 })
)
const attack = fc.oneof(
  fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
  fc.string({ maxLength: 60 })
)

/** Canonical text by another way than ours: the URL standard writes IPv6 as RFC 5952 does. */
function canonical(text: string): string {
  return text.includes(':') ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text
}

const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`
const node = (text: string) => (text.includes(':') ? `"[${text}]"` : text)
/** What a proxy that follows RFC 7239 writes of a client whose Host header may hold anything printable. */
const element = (address: fc.Arbitrary<string>) =>
  fc
    .tuple(
      address,
      fc.string({ maxLength: 12, unit: 'grapheme-ascii' }),
      fc.constantFrom('for', 'For', 'FOR'),
      fc.nat(3)
    )
    .map(([text, host, name, order]) => {
      const pairs = [`${name}=${node(text)}`, `host=${quoted(host)}`, 'proto=https', 'by=_lb']
      return { text, element: [...pairs.slice(order), ...pairs.slice(0, order)].join(';') }
    })

t.test('whatever a client writes, what our proxy appends to it decides: X-Forwarded-For', async () => {
  assert(
    fc.property(attack, stranger, fc.array(hop, { maxLength: 3 }), fc.boolean(), (forged, client, hops, ownLine) => {
      const appended = [client, ...hops].join(', ')
      const headers = ownLine
        ? ['X-Forwarded-For', forged, 'x-forwarded-for', appended]
        : { 'x-forwarded-for': `${forged}, ${appended}` }
      const { clientIp } = xff(PEER, headers)
      return clientIp === canonical(client)
    })
  )
})

t.test('whatever a client writes, what our proxy appends to it decides: Forwarded', async () => {
  assert(
    fc.property(
      attack,
      element(stranger),
      fc.array(element(hop), { maxLength: 3 }),
      fc.boolean(),
      (forged, client, hops, ownLine) => {
        const appended = [client, ...hops].map((one) => one.element).join(', ')
        const headers = ownLine ? ['Forwarded', forged, 'forwarded', appended] : { forwarded: `${forged}, ${appended}` }
        const { clientIp } = forwarded(PEER, headers)
        return clientIp === canonical(client.text)
      }
    )
  )
})

t.test('resolving twice gives the same, whatever was resolved between', async () => {
  assert(
    fc.property(attack, attack, fc.oneof(stranger, hop), (first, second, peer) => {
      for (const resolve of [xff, forwarded]) {
        const headers = { 'x-forwarded-for': first, forwarded: first }
        const before = JSON.stringify(resolve(peer, headers))
        resolve(PEER, { 'x-forwarded-for': second, forwarded: second })
        if (JSON.stringify(resolve(peer, headers)) !== before) return false
      }
      return true
    })
  )
})

t.test('a resolver that remembers the proxies of requests before answers like a new one', async () => {
  const few = fc.constantFrom(
    '10.0.0.2',
    '10.0.0.3',
    '10.0.0.3:80',
    '"[fd00::1]:80"',
    'for=10.0.0.2',
    'for="[fd00::1]"'
  )
  const tail = fc.tuple(fc.oneof(attack, few), fc.array(few, { maxLength: 4 }), fc.constantFrom(',', ', ', ';a="b", '))
  const value = tail.map(([first, hops, separator]) => [first, ...hops].join(separator))
  for (const header of ['x-forwarded-for', 'forwarded']) {
    assert(
      fc.property(fc.array(value, { minLength: 2, maxLength: 4 }), (values) => {
        const options = { trustedProxies: TRUSTED, header }
        const old = createClientIpResolver(options)
        return values.every((text) => {
          const fresh = createClientIpResolver(options)(PEER, { [header]: text })
          return JSON.stringify(old(PEER, { [header]: text })) === JSON.stringify(fresh)
        })
      })
    )
  }
})

t.test('remembered proxies count as hops', async (t) => {
  const resolve = createClientIpResolver({ trustedProxies: TRUSTED })
  const chain = (hops: number) => ['198.51.100.7', ...new Array(hops).fill('10.0.0.2')].join(', ')
  t.equal(resolve(PEER, { 'x-forwarded-for': chain(32) }).clientIp, '198.51.100.7')
  t.strictSame(resolve(PEER, { 'x-forwarded-for': chain(33) }), { clientIp: null, reason: 'too-many-hops' })
  t.equal(resolve(PEER, { 'x-forwarded-for': chain(32) }).clientIp, '198.51.100.7')
})

t.test('the answer is a trusted address only where every address was trusted', async () => {
  const isTrusted = proxyAddr.compile(TRUSTED)
  assert(
    fc.property(fc.array(plain, { minLength: 1, maxLength: 8 }), plain, (chain, peer) => {
      const { clientIp } = xff(peer, { 'x-forwarded-for': chain.join(', ') })
      const all = [...chain, peer].every((address) => isTrusted(address, 0))
      return clientIp !== null && isTrusted(clientIp, 0) === all
    })
  )
})

t.test('chains of plain addresses resolve as with @fastify/proxy-addr', async () => {
  const trust = proxyAddr.compile(TRUSTED)
  assert(
    fc.property(fc.array(plain, { maxLength: 8 }), plain, (chain, peer) => {
      const headers = chain.length === 0 ? {} : { 'x-forwarded-for': chain.join(', ') }
      const theirs = proxyAddr(
        { headers, socket: { remoteAddress: peer }, connection: { remoteAddress: peer } } as never,
        trust
      )
      return xff(peer, headers).clientIp === canonical(theirs)
    })
  )
})

t.test('a plain IPv4 entry is read exactly as the one strict parser reads it', async () => {
  const octet = fc.oneof(
    fc.nat(300).map(String),
    fc.constantFrom('', '00', '01', '010', '0', '255', '256', '1000', '-1', 'a')
  )
  const dotted = fc.array(octet, { minLength: 3, maxLength: 5 }).map((octets) => octets.join('.'))
  const blank = fc.constantFrom('', ' ', '\t', ' \t ')
  const left = fc.constantFrom('', ',', '1.2.3.4,', 'x ,', '6.6.6.6 ', '6.6.6.6\t', '7', ':', '"')
  assert(
    fc.property(left, blank, dotted, blank, (before, space, text, after) => {
      const { clientIp } = xff(PEER, { 'x-forwarded-for': `${before}${space}${text}${after}` })
      const [entry] = `${before}${space}${text}${after}`.split(',').slice(-1)
      const trimmed = entry!.replaceAll(/^[ \t]+|[ \t]+$/g, '')
      // Hops that are trusted lead on to the left; the rest of this property is about strangers.
      const address = parseAddress(trimmed)?.toString()
      return address?.startsWith('10.') || clientIp === (address ?? null)
    })
  )
})
