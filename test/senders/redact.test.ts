import fc from 'fast-check'
import t from 'tap'
import {
  createGuard,
  type GuardOptions,
  type GuardRequest,
  type RedactAddress,
  type RejectedVerdict
} from '../../src/core.js'
import { ParsedAddress } from '../../src/ip/address.js'
import { Findings, Option } from '../../src/lib/option.js'
import { REDACT_ADDRESS } from '../../src/senders/redact.js'
import { findingsOf } from '../support/advice.js'
import { runs } from '../support/properties.js'

const base = { dataCenters: 'DC-01' } as const

function optionOf(value: unknown): Option {
  return new Option('x', value, { path: '', findings: new Findings(), top: { table: {}, options: {} }, foreign: {} })
}

t.test('addresses are truncated to their network, or replaced by a keyed hash', async (t) => {
  const redaction = (value: RedactAddress) => REDACT_ADDRESS.read(optionOf(value))!
  const key = 'a key that nobody can guess'
  const truncate = redaction('truncate')
  const hash = redaction({ key })
  const table: [address: string, truncated: string][] = [
    ['198.51.100.7', '198.51.100.0/24'],
    ['255.255.255.255', '255.255.255.0/24'],
    ['::ffff:198.51.100.7', '198.51.100.0/24'],
    ['2001:DB8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['ffff::1', 'ffff::/48'],
    ['unix', 'unix'],
    ['fe80::1%eth0', 'unreadable'],
    ['', 'unreadable']
  ]
  for (const [address, truncated] of table) t.equal(truncate(address), truncated, address)
  t.match(hash('198.51.100.7'), /^hmac:[0-9a-f]{16}$/)
  t.equal(hash('::ffff:198.51.100.7'), hash('198.51.100.7'), 'the same for every spelling')
  t.not(hash('198.51.100.8'), hash('198.51.100.7'))
  t.not(redaction({ key: `${key}!` })('198.51.100.7'), hash('198.51.100.7'))
  t.equal(hash('unix'), 'unix')
  t.equal(hash('x'), 'unreadable')
})

t.test('addresses have the same in common exactly where their truncated text is the same', async () => {
  const truncate = REDACT_ADDRESS.read(optionOf('truncate'))!
  const near = (word: fc.Arbitrary<number>) => fc.tuple(fc.constantFrom(0, 1, 255, 0xffff), word)
  const v4 = near(fc.nat(0xffff)).map(([a, b]) => `${a & 255}.${b >> 8}.${b & 1}.${a & 255}`)
  const v6 = near(fc.nat(3)).map(([a, b]) => `${a.toString(16)}:${b}:${a.toString(16)}:${b}::1`)
  const other = fc.constantFrom('unix', 'fe80::1%eth0', '')
  const keyOf = (text: string) => {
    const address = new ParsedAddress()
    return address.parse(text, 0, text.length) === 0 ? text : address.key
  }
  const any = fc.oneof(v4, v6, other)
  fc.assert(
    fc.property(any, any, (a, b) => {
      const isSame = truncate(a) === truncate(b)
      return (truncate.joins!(keyOf(a)) === truncate.joins!(keyOf(b))) === isSame
    }),
    runs(1000)
  )
})

t.test('a way to redact that does not protect is refused', async (t) => {
  for (const redactAddress of ['hash', true, null, { key: 'sesame' }, { key: 5 }, {}]) {
    const options = { ...base, redactAddress } as GuardOptions
    t.throws(() => createGuard(options), { code: 'MOE_ERR_OPTIONS', mistakes: [{ path: 'redactAddress', value: '…' }] })
  }
  const options = { ...base, redactAddress: { key: 'sixteen characters', hash: 'sha1' } }
  t.match(findingsOf(options).mistakes, [{ code: 'MOE_ERR_UNKNOWN_OPTION', path: 'redactAddress.hash' }])
})

t.test(
  'no hint of a guard that redacts has a value to paste for an address, or a text that others wrote',
  async (t) => {
    const forwarded = { 'x-forwarded-for': '81.2.69.142' }
    const provider = { peer: '104.16.0.9', headers: forwarded }
    const inside = { peer: '172.18.0.1', headers: forwarded }
    const hop = { peer: '10.0.0.1', headers: { 'x-forwarded-for': '81.2.69.142, 172.18.0.1' } }
    const proxies = { trustedProxies: ['10.0.0.1'] }
    const throws = ({ headers }: GuardRequest) => {
      throw new Error(`cannot trust ${(headers as Record<string, string>)['x-forwarded-for']}`)
    }
    const list = 'redactAddress hides it in the log; the verdict has it in full.'
    const table: [options: Partial<GuardOptions<GuardRequest>>, request: GuardRequest, end: string][] = [
      [{ clientIp: proxies }, inside, `If it is: list its address in clientIp.trustedProxies. ${list}`],
      [{ clientIp: proxies }, hop, `If it is: list its address in clientIp.trustedProxies. ${list}`],
      [{}, inside, `If it is: list its address in clientIp: { trustedProxies: [...] }. ${list}`],
      [{ clientIp: proxies }, provider, "add 'cloudflare' to clientIp.trustedProxies."],
      [{ clientIp: throws }, inside, 'catch and log the error in the function.']
    ]
    for (const [options, request, end] of table) {
      const guard = createGuard({ ...base, ...options, redactAddress: 'truncate' })
      const { hint } = guard.redacted(guard.judge(request) as RejectedVerdict)
      t.ok(hint.endsWith(end), hint)
      t.notMatch(hint, /81\.2\.69\.142|172\.18\.0\.1\b/)
    }
  }
)
