import fc from 'fast-check'
import t from 'tap'
import { compileMatcher, type Entry, type Matcher, parseAddress, parsePrefix } from '../../src/core.js'
import { ParsedAddress } from '../../src/ip/address.js'
import { LayeredMatcher } from '../../src/ip/matcher.js'
import { fixture } from '../support/fixtures.js'
import {
  addresses,
  BITS,
  dotted,
  formatOracle,
  networkOf,
  type Oracle,
  readOracle,
  spell,
  spellings
} from '../support/oracle.js'
import { runs, scaled } from '../support/properties.js'

interface Listed<G> {
  readonly network: Oracle
  readonly length: number
  readonly grant: G
}

const holds = ({ network, length }: Listed<unknown>, address: Oracle) =>
  network.family === address.family && networkOf(address, length) === network.value

/** The grants of all entries that hold an address, in the order in which the list first names them. */
function naive<G>(list: readonly Listed<G>[], address: Oracle): G[] {
  const granted = new Set(list.filter((entry) => holds(entry, address)).map(({ grant }) => grant))
  return [...new Set(list.map(({ grant }) => grant))].filter((grant) => granted.has(grant))
}

const textOf = ({ network, length }: Listed<unknown>) => `${formatOracle(network)}/${length}`
const last = ({ network, length }: Listed<unknown>) =>
  network.value + (1n << (BITS[network.family] - BigInt(length))) - 1n

/** Every address at which the answer may change: first, last, and those next to them. */
function boundaries(list: readonly Listed<unknown>[]): Oracle[] {
  return list.flatMap((entry) => {
    const { family, value } = entry.network
    return [value - 1n, value, value + 1n, last(entry) - 1n, last(entry), last(entry) + 1n]
      .filter((near) => near >= 0n && near >> BITS[family] === 0n)
      .map((near) => ({ family, value: near }))
      .filter(isItself)
  })
}

/** An IPv4-mapped value is an IPv4 address, which no IPv6 prefix holds. */
const isItself = ({ family, value }: Oracle) => family === 4 || value >> 32n !== 0xffffn

/** What a matcher says about a text, asked in every way that there is; they must agree. */
function ask<G>(matcher: Matcher<G>, text: string): readonly G[] {
  const set = matcher.find(text)
  const unhurried = new ParsedAddress()
  unhurried.parse(text, 0, text.length)
  const matched = matcher.match(text)
  const address = parseAddress(text)
  const parsed = address === undefined ? [] : matcher.match(address)
  const answers = [matcher.grantsOf(set), matcher.grantsOf(matcher.lookup(unhurried)), matched, parsed].map((grants) =>
    grants.join()
  )
  if (new Set(answers).size !== 1) throw new Error(`${text}: ${answers.join(' or ')}`)
  if ((set === 0) !== (matched.length === 0)) throw new Error(`${text}: set ${set} has ${matched.length} grants`)
  if (set >= matcher.setCount) throw new Error(`${text}: there is no set ${set}`)
  return matched
}

t.test('every conformance vector of membership is answered as it should be', async (t) => {
  const vectors: { cidr: string; ip: string; inside: boolean; why: string }[] = fixture('cidrs.json')
  t.equal(vectors.length, 1070)
  const failures = vectors.flatMap((vector) => {
    const alone = compileMatcher([{ prefix: vector.cidr, grant: 'listed' }])
    const found = ask(alone, vector.ip).length > 0
    return found === vector.inside ? [] : [{ ...vector, found }]
  })
  t.strictSame(failures, [])
})

t.test('all prefixes of the conformance vectors in one matcher give the same answers', async (t) => {
  const vectors: { cidr: string; ip: string; inside: boolean }[] = fixture('cidrs.json')
  const cidrs = [...new Set(vectors.map(({ cidr }) => cidr))]
  const matcher = compileMatcher(cidrs.map((cidr) => ({ prefix: cidr, grant: cidr })))
  const failures = vectors.filter(({ cidr, ip, inside }) => ask(matcher, ip).includes(cidr) !== inside)
  t.strictSame(failures, [])
})

t.test('an address has the grants of all entries that hold it, in the order of the list', async (t) => {
  const matcher = compileMatcher([
    { prefix: '10.1.0.0/16', grant: 'site' },
    { prefix: '10.0.0.0/8', grant: 'private' },
    { prefix: '10.1.2.3', grant: 'host' },
    { prefix: '10.1.2.3/32', grant: 'also host' },
    { prefix: '10.1.2.3', grant: 'host' },
    { prefix: '10.1.255.255', grant: 'private' },
    { prefix: '2001:db8::/32', grant: 'office' },
    { prefix: '2001:db8::/64', grant: 'site' },
    { prefix: '::ffff:192.0.2.0/120', grant: 'mapped' },
    { prefix: '::/96', grant: 'compatible' }
  ])
  const rows: [text: string, grants: string[]][] = [
    ['10.1.2.3', ['site', 'private', 'host', 'also host']],
    ['::ffff:10.1.2.3', ['site', 'private', 'host', 'also host']],
    ['::FFFF:a01:203', ['site', 'private', 'host', 'also host']],
    ['0:0:0:0:0:ffff:10.1.2.3', ['site', 'private', 'host', 'also host']],
    ['10.1.2.2', ['site', 'private']],
    ['10.1.2.4', ['site', 'private']],
    ['10.1.255.255', ['site', 'private']],
    ['10.2.0.0', ['private']],
    ['10.255.255.255', ['private']],
    ['11.0.0.0', []],
    ['9.255.255.255', []],
    ['2001:db8::1', ['site', 'office']],
    ['2001:0DB8:0:0:ffff::', ['site', 'office']],
    ['2001:db8:0:1::', ['office']],
    ['2001:db9::', []],
    ['192.0.2.255', ['mapped']],
    ['192.0.3.0', []],
    ['::192.0.2.1', ['compatible']],
    ['::10.1.2.3', ['compatible']],
    ['64:ff9b::10.1.2.3', []],
    ['2002:a01:203::', []]
  ]
  for (const [text, grants] of rows) t.strictSame(ask(matcher, text), grants, text)
})

t.test('an IPv6 prefix never holds an IPv4 address', async (t) => {
  const matcher = compileMatcher([{ prefix: '::/0', grant: 'everyone' }])
  for (const text of ['1.2.3.4', '::ffff:1.2.3.4', '::ffff:0:0', '::FFFF:102:304', '0.0.0.0', '255.255.255.255']) {
    t.strictSame(ask(matcher, text), [], text)
  }
  for (const text of ['::', '::1.2.3.4', '::fffe:ffff:ffff', '::1:0:0:0', '64:ff9b::1.2.3.4', 'ffff::ffff']) {
    t.strictSame(ask(matcher, text), ['everyone'], text)
  }
})

t.test('a text that begins, ends or looks like a listed address does not match', async (t) => {
  const listed = ['3.6.251.95', '10.0.0.0/8', '0.0.0.0', '255.255.255.255', '2001:db8::1', '::1', 'fd00::/8']
  const matcher = compileMatcher(listed.map((prefix) => ({ prefix, grant: prefix })))
  const decorations: ((text: string) => string)[] = [
    (text) => `${text} `,
    (text) => ` ${text}`,
    (text) => `${text}\0`,
    (text) => `\0${text}`,
    (text) => `${text}\0${text}`,
    (text) => `${text}\n`,
    (text) => `${text},${text}`,
    (text) => `${text}/32`,
    (text) => `${text}/128`,
    (text) => `${text}.`,
    (text) => `.${text}`,
    (text) => `${text}:`,
    (text) => `:${text}`,
    (text) => `${text}:80`,
    (text) => `[${text}]`,
    (text) => `[${text}]:80`,
    (text) => `"${text}"`,
    (text) => `${text}%eth0`,
    (text) => `${text}0000`,
    (text) => `${text}x`,
    (text) => `${text}\ud800`,
    (text) => `::ffff:${text}.1`,
    (text) => `::ffff:${text} `,
    (text) => `::ffff:0${text}`,
    (text) => `::ffff::${text}`,
    (text) => text.replace(/[0-9]+/, '0$&'),
    (text) => text.replace(/[0-9]+(?=\.|$)/, '0x$&'),
    (text) => text.replaceAll('.', '．'),
    (text) => text.replaceAll('.', '。'),
    (text) => text.replaceAll(/[0-9]/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
    (text) => text.replaceAll(/[0-9]/g, (digit) => String.fromCodePoint(0x660 + Number(digit))),
    (text) => text.slice(0, -1) + String.fromCharCode(text.charCodeAt(text.length - 1) + 0x100),
    (text) => text.repeat(100_000)
  ]
  const failures: string[] = []
  for (const prefix of listed) {
    const [address = ''] = prefix.split('/')
    for (const decorate of decorations) {
      const text = decorate(address)
      const expected = readOracle(text)
      // A few of them are addresses after all, as `::10000` is; those are compared with the oracle.
      const grants = expected === undefined ? [] : listed.filter((entry) => within(expected, entry))
      if (ask(matcher, text).join() !== grants.join()) failures.push(text.slice(0, 50))
    }
  }
  t.strictSame(failures, [])
  t.strictSame(matcher.match('10.0.0.0'), ['10.0.0.0/8'], 'undecorated they match')
  for (const value of [undefined, null, 5, {}, Symbol('::1'), 16909060]) {
    t.strictSame(matcher.match(value as unknown as string), [], String(value))
  }
})

function within(address: Oracle, prefix: string): boolean {
  const [text = '', length] = prefix.split('/')
  const network = readOracle(text)!
  return holds({ network, length: Number(length ?? BITS[network.family]), grant: undefined }, address)
}

t.test('an empty list matches nothing, a whole space all of one family', async (t) => {
  const rows: [prefixes: string[], text: string, isListed: boolean][] = [
    [[], '0.0.0.0', false],
    [[], '::', false],
    [['0.0.0.0/0'], '0.0.0.0', true],
    [['0.0.0.0/0'], '255.255.255.255', true],
    [['0.0.0.0/0'], '::', false],
    [['::ffff:0:0/96'], '128.0.0.0', true],
    [['::/0'], '::', true],
    [['::/0'], 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', true],
    [['255.255.255.255'], '255.255.255.255', true],
    [['255.255.255.255'], '255.255.255.254', false],
    [['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'], 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', true],
    [['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'], 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe', false],
    [['ffff:ffff::/33'], 'ffff:ffff:7fff:ffff:ffff:ffff:ffff:ffff', true],
    [['ffff:ffff::/33'], 'ffff:ffff:8000::', false],
    [['ffff:fffe::1'], 'ffff:fffe::1', true],
    [['ffff:fffe::1'], 'ffff:ffff::1', false],
    [['ffff:fffe:8000::/33'], 'ffff:ffff::', false],
    [['ffff:ffff::1'], 'ffff:fffe::1', false],
    [['2001:db8::1', '2001:db9::2'], '2001:db9::1', false],
    [['0.0.0.0/1', '128.0.0.0/1'], '128.0.0.0', true]
  ]
  for (const [prefixes, text, isListed] of rows) {
    const matcher = compileMatcher(prefixes.map((prefix) => ({ prefix, grant: true })))
    t.equal(ask(matcher, text).length > 0, isListed, `${text} in ${prefixes.join(' ')}`)
  }
  t.equal(compileMatcher([]).setCount, 1, 'the empty set is always there')
})

t.test('entries may be given by any iterable, as texts or as prefixes that were read before', async (t) => {
  const texts = ['10.0.0.0/8', '2001:db8::/32', '::ffff:1.2.3.4']
  function* entries(): Generator<Entry<string>> {
    for (const text of texts) {
      yield { prefix: text, grant: text }
      // Reading something else between two entries must not disturb what was read.
      parseAddress('9.9.9.9')
      yield { prefix: parsePrefix(text), grant: 'read' }
    }
  }
  const matcher = compileMatcher(entries())
  for (const [text, grant] of [
    ['10.1.1.1', '10.0.0.0/8'],
    ['2001:db8::1', '2001:db8::/32'],
    ['1.2.3.4', '::ffff:1.2.3.4']
  ] as const) {
    t.strictSame(ask(matcher, text).toSorted(), [grant, 'read'].toSorted(), text)
  }
  t.strictSame(ask(matcher, '9.9.9.9'), [])
})

t.test('the first entry that is no prefix is refused with what is wrong with it', async (t) => {
  for (const prefix of ['10.0.0.1/8', '', 'localhost', null, 5, Symbol('::1'), { address: '1.2.3.4', length: 32 }]) {
    const entries = [
      { prefix: '1.2.3.4', grant: 1 },
      { prefix: prefix as string, grant: 1 }
    ]
    t.throws(() => compileMatcher(entries), { code: 'MOE_ERR_PREFIX', value: prefix })
  }
})

t.test('what is not a list of entries is refused with an entry, which is accepted', async (t) => {
  const wrong: [entries: unknown, message: RegExp][] = [
    [['10.0.0.0/8'], /^'10\.0\.0\.0\/8' is not an entry\.$/],
    [[{ prefix: '1.2.3.4', grant: 1 }, '10.0.0.0/8'], /^'10\.0\.0\.0\/8' is not an entry\.$/],
    [[undefined], /^undefined is not an entry/],
    [[null], /^null is not an entry/],
    [[5], /^5 is not an entry/],
    [[['10.0.0.0/8', 'office']], /^\['10\.0\.0\.0\/8', 'office'\] is not an entry/],
    [[{ cidr: '10.0.0.0/8' }], /^\{ cidr \} is not an entry/],
    ['10.0.0.0/8', /^'10\.0\.0\.0\/8' is not a list of entries/],
    [{ prefix: '10.0.0.0/8', grant: 1 }, /^\{ prefix, grant \} is not a list of entries/],
    [undefined, /^undefined is not a list of entries/],
    [null, /^null is not a list of entries/]
  ]
  for (const [entries, message] of wrong) {
    const expected = { path: 'entries', message, fix: /^Write \[?\{ prefix: '10\.0\.0\.0\/8', grant: 'office' \}/ }
    t.throws(() => compileMatcher(entries as never), { code: 'MOE_ERR_OPTIONS', mistakes: [expected] })
  }
  t.strictSame(compileMatcher([{ prefix: '10.0.0.0/8', grant: 'office' }]).match('10.0.0.1'), ['office'])
})

t.test('grants are told apart by identity, and may be anything', async (t) => {
  const [a, b] = [{ name: 'same' }, { name: 'same' }]
  const grants = [a, b, a, undefined, null, 0, '', Number.NaN, 'constructor', '__proto__']
  const matcher = compileMatcher(grants.map((grant) => ({ prefix: '10.0.0.0/8', grant })))
  const found = matcher.match('10.0.0.1')
  t.equal(found.length, 9)
  t.ok(found[0] === a && found[1] === b)
  t.strictSame(found.slice(2), [undefined, null, 0, '', Number.NaN, 'constructor', '__proto__'])
  ;(found as unknown[]).length = 0
  t.equal(matcher.match('10.0.0.1').length, 9, 'an answer that is changed changes no other')
})

t.test('a matcher does not follow later changes of what it was compiled from', async (t) => {
  const entries = [{ prefix: '10.0.0.0/8', grant: 'a' }]
  const matcher = compileMatcher(entries)
  entries[0]!.prefix = '11.0.0.0/8'
  entries.push({ prefix: '12.0.0.0/8', grant: 'b' })
  t.strictSame(
    ['10.0.0.1', '11.0.0.1', '12.0.0.1'].map((text) => matcher.match(text)),
    [['a'], [], []]
  )
})

t.test('the entries of an address are told with the longest prefix first', async (t) => {
  const matcher = compileMatcher([
    { prefix: '0.0.0.0/0', grant: 'all' },
    { prefix: '10.0.0.0/8', grant: 'net' },
    { prefix: '10.0.0.0/8', grant: 'net too' },
    { prefix: '10.0.0.1', grant: 'host' },
    { prefix: '10.0.0.2', grant: 'other' },
    { prefix: '::/0', grant: 'all' },
    { prefix: '2001:db8::/33', grant: 'net' },
    { prefix: '2001:db8::1', grant: 'host' }
  ])
  const entriesFor = (text: string) =>
    matcher.entriesFor(parseAddress(text)!).map(({ prefix, grant }) => `${prefix} ${grant}`)
  t.strictSame(entriesFor('10.0.0.1'), ['10.0.0.1/32 host', '10.0.0.0/8 net', '10.0.0.0/8 net too', '0.0.0.0/0 all'])
  t.strictSame(entriesFor('::ffff:11.0.0.0'), ['0.0.0.0/0 all'])
  t.strictSame(entriesFor('2001:db8::1'), ['2001:db8::1/128 host', '2001:db8::/33 net', '::/0 all'])
  t.strictSame(entriesFor('2001:db8:8000::'), ['::/0 all'])
  t.strictSame(compileMatcher([]).entriesFor(parseAddress('::1')!), [])
})

/** Lists in which prefixes nest, repeat, touch and fill whole spaces. */
const lists: fc.Arbitrary<Listed<number>[]> = fc
  .array(fc.tuple(addresses, fc.nat(128), fc.nat(4)), { maxLength: 24 })
  .map((rows) =>
    rows.map(([address, upTo, grant]) => {
      const length = address.family === 4 ? upTo % 33 : upTo
      return { network: { family: address.family, value: networkOf(address, length) }, length, grant }
    })
  )
  .map((list) => list.filter(({ network }) => isItself(network)))
  .chain((list) =>
    // The neighbour of an entry, the network around it, a part of it, and itself once more.
    fc
      .array(fc.tuple(fc.nat(), fc.constantFrom('next', 'around', 'inside', 'same'), fc.nat(4)), { maxLength: 8 })
      .map((additions) => [
        ...list,
        ...additions.flatMap(([at, kind, grant]) => {
          const entry = list[at % list.length]
          if (entry === undefined) return []
          const { network, length } = entry
          const bits = Number(BITS[network.family])
          const value = kind === 'next' ? last(entry) + 1n : network.value
          const newLength = {
            next: length,
            same: length,
            around: Math.max(length - 1, 0),
            inside: Math.min(length + 1, bits)
          }
          const address = { family: network.family, value }
          if (value >> BITS[network.family] > 0n || !isItself(address)) return []
          const cut = { ...address, value: networkOf(address, newLength[kind]) }
          return isItself(cut) ? [{ network: cut, length: newLength[kind], grant }] : []
        })
      ])
  )

t.test('any list gives the answers of the naive search, at its boundaries and anywhere, in any spelling', async (t) => {
  const seen = { listed: 0, unlisted: 0, several: 0 }
  const property = fc.property(
    lists,
    fc.array(addresses, { maxLength: 10 }),
    fc.array(spellings, { minLength: 1, maxLength: 10 }),
    fc.context(),
    (list, elsewhere, spellings, context) => {
      const matcher = compileMatcher(list.map((entry) => ({ prefix: textOf(entry), grant: entry.grant })))
      return [...boundaries(list), ...elsewhere].every((address, i) => {
        const expected = naive(list, address)
        seen[expected.length > 1 ? 'several' : expected.length > 0 ? 'listed' : 'unlisted']++
        const text = spell(address, spellings[i % spellings.length]!)
        const found = [formatOracle(address), text].map((spelling) => ask(matcher, spelling).join())
        context.log(`${text}: ${found.join(' and ')}, not ${expected.join()}`)
        return found.every((grants) => grants === expected.join())
      })
    }
  )
  fc.assert(property, runs(400))
  t.ok(seen.listed > scaled(1000) && seen.unlisted > scaled(1000) && seen.several > scaled(1000), JSON.stringify(seen))
})

t.test('any list tells the entries of an address as the naive search does', async (t) => {
  const property = fc.property(lists, fc.array(addresses, { maxLength: 5 }), (list, elsewhere) => {
    const matcher = compileMatcher(list.map((entry) => ({ prefix: parsePrefix(textOf(entry)), grant: entry.grant })))
    return [...boundaries(list.slice(0, 5)), ...elsewhere].every((address) => {
      const parsed = parseAddress(formatOracle(address))!
      const found = matcher.entriesFor(parsed)
      const expected = list.filter((entry) => holds(entry, address)).toSorted((a, b) => b.length - a.length)
      const innermost = expected.filter(({ length }) => length === expected[0]!.length)
      const grants = matcher.innermost(parsed)?.map(({ grant }) => grant)
      return (
        grants?.join() === (innermost.length === 0 ? undefined : innermost.map(({ grant }) => grant).join()) &&
        found.map(({ prefix, grant }) => `${prefix} ${grant}`).join() ===
          expected.map((entry) => `${textOf(entry)} ${entry.grant}`).join()
      )
    })
  })
  fc.assert(property, runs(300))
  t.pass()
})

t.test('an IPv4-mapped list and query mean the same as plain ones', async (t) => {
  const property = fc.property(
    lists.map((list) => list.filter(({ network }) => network.family === 4)),
    (list) => {
      const plain = compileMatcher(list.map((entry) => ({ prefix: textOf(entry), grant: entry.grant })))
      const mapped = compileMatcher(
        list.map((entry) => ({
          prefix: `::ffff:${formatOracle(entry.network)}/${entry.length + 96}`,
          grant: entry.grant
        }))
      )
      return boundaries(list).every((address) => {
        const text = formatOracle(address)
        return ask(plain, `::ffff:${text}`).join() === ask(mapped, text).join()
      })
    }
  )
  fc.assert(property, runs(200))
  t.pass()
})

t.test('long lists give the answers of the naive search, however many sets of grants they need', async (t) => {
  // Above 8,191 intervals the index has as many bits as it may.
  const rows: [count: number, family: 4 | 6, grants: number][] = [
    [300, 4, 300],
    [300, 6, 300],
    [9_000, 4, 3],
    [9_000, 6, 9_000]
  ]
  for (const [count, family, grants] of rows) {
    const step = family === 4 ? 50_021n : 0x0001_0003_0000_0005_0000_0007_0000n
    const start = family === 4 ? 0x0a000000n : readOracle('2001:db8::')!.value
    const list = Array.from({ length: count }, (_, i) => ({
      network: { family, value: start + BigInt(i) * step },
      length: Number(BITS[family]),
      grant: i % grants
    }))
    const text = (value: bigint) => (family === 4 ? dotted(value) : formatOracle({ family, value }))
    const matcher = compileMatcher(list.map(({ network, grant }) => ({ prefix: text(network.value), grant })))
    t.equal(matcher.setCount, grants + 1, `${count} of family ${family}: sets`)
    const failures = list.filter(({ network: { value }, grant }, i) => {
      if (i % 41 !== 0) return false
      return (
        `${ask(matcher, text(value))} ${ask(matcher, text(value - 1n))} ${ask(matcher, text(value + 1n))}` !==
        `${grant}  `
      )
    })
    t.strictSame(failures.slice(0, 3), [], `${count} of family ${family}: answers`)
  }
})

t.test('a chain of every prefix length is united, and repeating it costs no further set', async (t) => {
  for (const [host, bits] of [
    ['255.255.255.255', 32],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 128]
  ] as const) {
    const address = readOracle(host)!
    const chain = Array.from({ length: bits + 1 }, (_, length) => ({
      network: { ...address, value: networkOf(address, length) },
      length,
      grant: length
    }))
    const entries = chain.map((entry) => ({ prefix: textOf(entry), grant: entry.grant }))
    const matcher = compileMatcher(entries)
    t.strictSame(
      ask(matcher, host),
      Array.from({ length: bits + 1 }, (_, length) => length)
    )
    const failures = boundaries(chain).filter(
      (near) => ask(matcher, formatOracle(near)).join() !== naive(chain, near).join()
    )
    t.strictSame(failures, [])
    t.equal(compileMatcher([...entries, ...entries.toReversed()]).setCount, matcher.setCount)
  }
})

const entriesOf = <G>(list: readonly Listed<G>[]): Entry<G>[] =>
  list.map((entry) => ({ prefix: textOf(entry), grant: entry.grant }))

const setOf = (matcher: Pick<LayeredMatcher<unknown>, 'lookup'>, text: string) => {
  const parsed = new ParsedAddress()
  parsed.parse(text, 0, text.length)
  return matcher.lookup(parsed)
}

t.test('a matcher to which entries were added answers as the naive search in all of them does', async (t) => {
  const seen = { both: 0, base: 0, added: 0, neither: 0 }
  const property = fc.property(
    lists,
    lists.map((list) => list.map((entry) => ({ ...entry, grant: entry.grant + 100 }))),
    fc.array(addresses, { maxLength: 5 }),
    (listed, added, elsewhere) => {
      const all = [...listed, ...added]
      const base = compileMatcher(entriesOf(listed))
      const layered = new LayeredMatcher(base, added.length === 0 ? undefined : compileMatcher(entriesOf(added)))
      const entriesByInnermost = new Map<unknown, string>()
      return [...boundaries(all), ...elsewhere].every((address) => {
        const text = formatOracle(address)
        const [inBase, inAdded] = [naive(listed, address), naive(added, address)].map((grants) => grants.length > 0)
        seen[inBase ? (inAdded ? 'both' : 'base') : inAdded ? 'added' : 'neither']++
        const expected = all.filter((entry) => holds(entry, address)).toSorted((a, b) => b.length - a.length)
        const parsed = parseAddress(text)!
        const entries = layered.entriesFor(parsed).map(({ prefix, grant }) => `${prefix} ${grant}`)
        // The same list of innermost entries stands for the same entries altogether.
        const innermost = layered.innermost(parsed)
        const known = entriesByInnermost.get(innermost) ?? entries.join()
        entriesByInnermost.set(innermost, entries.join())
        return (
          known === entries.join() &&
          entries.join() === expected.map((entry) => `${textOf(entry)} ${entry.grant}`).join() &&
          innermost?.[0]?.prefix.length === expected[0]?.length &&
          layered.grantsOf(setOf(layered, text)).join() === naive(all, address).join() &&
          (setOf(layered, text) === 0) === (expected.length === 0)
        )
      })
    }
  )
  fc.assert(property, runs(300))
  t.ok(
    Object.values(seen).every((count) => count > scaled(500)),
    JSON.stringify(seen)
  )
})

t.test('the entries that cover a prefix are those that contain all of its addresses', async (t) => {
  const property = fc.property(lists, lists, (list, others) => {
    const matcher = compileMatcher(entriesOf(list))
    return [...list, ...others].every((prefix) => {
      const covering = list
        .filter((entry) => entry.length <= prefix.length && holds(entry, prefix.network))
        .toSorted((a, b) => b.length - a.length)
      const found = matcher.entriesCovering(parsePrefix(textOf(prefix)))
      return (
        found.map(({ prefix, grant }) => `${prefix} ${grant}`).join() ===
        covering.map((entry) => `${textOf(entry)} ${entry.grant}`).join()
      )
    })
  })
  fc.assert(property, runs(300))
  t.pass()
})

t.test('each set of grants has one number, however often it is looked up', async (t) => {
  const base = compileMatcher([
    { prefix: '1.0.0.0/8', grant: 'a' },
    { prefix: '2.0.0.0/8', grant: 'b' }
  ])
  const added = compileMatcher([
    { prefix: '1.1.0.0/16', grant: 'x' },
    { prefix: '2.1.0.0/16', grant: 'x' },
    { prefix: '3.0.0.0/8', grant: 'x' }
  ])
  const layered = new LayeredMatcher(base, added)
  t.equal(layered.setCount, 5)
  const numbers = ['9.9.9.9', '1.2.0.0', '2.2.0.0', '3.0.0.0', '2.1.0.0', '1.1.0.0'].map((text) => setOf(layered, text))
  t.equal(new Set(numbers).size, 6)
  t.equal(numbers[0], 0)
  t.strictSame([setOf(layered, '1.1.9.9'), setOf(layered, '2.1.9.9')], [numbers[5], numbers[4]])
  t.strictSame(
    numbers.map((set) => layered.grantsOf(set).join()),
    ['', 'a', 'b', 'x', 'b,x', 'a,x']
  )
  const same = new LayeredMatcher(base, compileMatcher([{ prefix: '1.0.0.0/8', grant: 'x' }]))
  const { words } = parseAddress('1.2.3.4')!
  t.match(same.innermost({ family: 4, words }), [{ grant: 'a' }], 'of two lists for one prefix it is that of the base')
})
