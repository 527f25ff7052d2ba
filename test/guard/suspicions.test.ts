import fc from 'fast-check'
import t from 'tap'
import { createGuard, type GuardOptions, type Snapshot } from '../../src/core.js'
import { loadGuard } from '../../src/guard/create-guard.js'
import { TestClock } from '../support/clock.js'
import { guarded } from '../support/guarded.js'
import { runs } from '../support/properties.js'
import { FOUR, snapshotOf, sound } from '../support/snapshots.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const from = (peer: string) => ({ peer, headers: {} })

/** A guard whose next list and clock the test holds. */
async function guarding(options: Partial<GuardOptions> = {}, first: unknown = sound()) {
  const clock = new TestClock('2026-11-23T00:00:00Z')
  let next = first
  const source = { name: 'ours', load: async () => next as Snapshot }
  const guard = await loadGuard({ dataCenters: 'DC-01', source, ...options }, { clock })
  const reload = (snapshot: unknown) => {
    next = snapshot
    return guard.reload()
  }
  return { guard, clock, reload }
}

t.test('a suspicious list is refused with every reason, until it is confirmed', async (t) => {
  const before = sound()
  const dc01 = (...addresses: string[]) => sound({ revision: 'r2' }, addresses)
  const table: [what: string, next: Snapshot, reasons: [suspicion: string, message: RegExp][]][] = [
    ['a wide prefix', dc01(...FOUR, '9.8.0.0/15'), [['wide', /^9\.8\.0\.0\/15: shorter than \/16/]]],
    [
      'a wide IPv6 prefix',
      dc01(...FOUR, '2620::/24'),
      [
        ['wide', /^2620::\/24: /],
        ['grown', /IPv6/]
      ]
    ],
    [
      'a wide prefix for a data center that nobody uses',
      snapshotOf({ 'DC-01 sms': FOUR, 'DC-03 sms': ['12.0.0.0/8'] }),
      [
        ['wide', /^12\.0\.0\.0\/8/],
        ['grown', /IPv4/]
      ]
    ],
    ['a private address', dc01(...FOUR, '10.0.0.1'), [['private', /^10\.0\.0\.1\/32 \(private\): nobody/]]],
    ['loopback', dc01(...FOUR, '127.0.0.1'), [['private', /\(loopback\)/]]],
    ['carrier-grade NAT', dc01(...FOUR, '100.64.0.0/16'), [['private', /\(carrierGradeNat\)/]]],
    ['documentation', dc01(...FOUR, '198.51.100.7'), [['private', /\(documentation\)/]]],
    [
      'a prefix that begins in public and ends in private',
      dc01(...FOUR, '11.0.0.0/8', '8.0.0.0/6'),
      [
        ['wide', /^11\.0\.0\.0\/8, 8\.0\.0\.0\/6: /],
        ['grown', /IPv4/]
      ]
    ],
    ['multicast', dc01(...FOUR, 'ff02::1'), [['private', /\(multicast\)/]]],
    ['a unique local address', dc01(...FOUR, 'fd00::1'), [['private', /\(uniqueLocal\)/]]],
    ['IPv6 that nobody was given yet', dc01(...FOUR, '4000::1'), [['private', /\(unassigned\)/]]],
    [
      'far more addresses',
      dc01(...FOUR, ...Array.from({ length: 17 }, (_, i) => `12.${i}.0.0/16`)),
      [['grown', /^It covers 1\.1 × 10\^6 addresses of IPv4, the list in use only 5\.$/]]
    ],
    [
      'far more addresses, in a family that had none',
      dc01(...FOUR, ...Array.from({ length: 17 }, (_, i) => `2620:${(i + 1).toString(16)}::/32`)),
      [['grown', /^It covers 1\.3 × 10\^30 addresses of IPv6, the list in use none\.$/]]
    ],
    [
      'most addresses gone',
      dc01(FOUR[0]!),
      [['shrunk', /^3 of the 4 addresses of DC-01 in use are gone: 9\.9\.9\.2\/32, /]]
    ],
    ['all addresses replaced', dc01('8.8.8.1', '8.8.8.2'), [['shrunk', /^4 of the 4 addresses/]]],
    [
      'an older list',
      sound({ revision: 'r0', retrieved: '2026-11-19' }),
      [['older', /^It is of 2026-11-19, older than the list in use, of 2026-11-20\.$/]]
    ],
    [
      'a list of the future',
      sound({ retrieved: '2026-11-25' }),
      [['future', /^It is of 2026-11-25, a day that is still/]]
    ],
    [
      'all at once',
      sound({ retrieved: '2026-01-01' }, ['10.0.0.0/8']),
      [
        ['wide', /./],
        ['private', /./],
        ['grown', /./],
        ['older', /./],
        ['shrunk', /./]
      ]
    ]
  ]
  for (const [what, next, reasons] of table) {
    const { guard, reload } = await guarding()
    const error = await reload(next).catch((error) => error)
    t.match(
      error,
      { code: 'MOE_ERR_SUSPICIOUS', value: 'ours', fix: /^Look at it\. If it is right, confirm it: / },
      what
    )
    t.match(
      error.reasons,
      reasons.map(([suspicion, message]) => ({ suspicion, message })),
      what
    )
    t.equal(error.reasons.length, reasons.length, what)
    for (const [suspicion] of reasons) t.match(error.fix, `'${suspicion}'`, what)
    t.match(guard.status(), { revision: 'r1', lastError: error.message, provenance: before.provenance }, what)
    for (const peer of FOUR) t.equal(guard.judge(from(peer)).verified, true, what)

    const confirm = reasons.map(([suspicion]) => suspicion) as NonNullable<GuardOptions['confirm']>
    const confirmed = await guarding({ confirm })
    await confirmed.reload(next)
    t.equal(confirmed.guard.status().provenance.retrieved, next.provenance.retrieved, what)
    const other = await guarding({ confirm: confirm.slice(1) })
    const rest = await other.reload(next).catch((error) => error)
    t.match(rest.reasons, [{ suspicion: confirm[0] }], what)
  }
})

t.test('a long reason names some addresses and counts the rest', async (t) => {
  const many = Array.from({ length: 8 }, (_, i) => `9.9.9.${i}`)
  const { reload } = await guarding({}, sound({}, many))
  await t.rejects(reload(sound({}, ['9.9.9.0'])), {
    message: /7 of the 8 addresses of DC-01 in use are gone: 9\.9\.9\.1\/32, [^a]*9\.9\.9\.5\/32 and 2 more\./
  })
})

t.test('what is not suspicious takes effect at once', async (t) => {
  const table: [what: string, next: Snapshot][] = [
    ['the same list', sound({ revision: 'r2' })],
    ['a list of tomorrow, where it is tomorrow already', sound({ revision: 'r2', retrieved: '2026-11-24' })],
    ['an address more', sound({ revision: 'r2' }, [...FOUR, '9.9.9.5'])],
    ['half of the addresses gone', sound({ revision: 'r2' }, FOUR.slice(2))],
    ['addresses that were put together', sound({ revision: 'r2' }, ['9.9.9.0/29'])],
    ['as wide as can be', sound({ revision: 'r2' }, [...FOUR, '9.8.0.0/16', '2620:fe::/32'])],
    ['a data center gone that nobody uses', snapshotOf({ 'DC-01 connector': FOUR }, { revision: 'r2' })],
    ['a row that moved to another channel', snapshotOf({ 'DC-01 sms': FOUR }, { revision: 'r2' })]
  ]
  for (const [what, next] of table) {
    const { reload } = await guarding()
    t.match(await reload(next), { revision: 'r2', lastError: null }, what)
  }
})

t.test(
  'a day that is still to come is suspicious where it is news, and not where the list in use has it',
  async (t) => {
    const { reload } = await guarding({}, sound({ retrieved: '2027-01-01', checked: '2027-02-01' }))
    const same = sound({ retrieved: '2027-01-01', checked: '2027-02-01', revision: 'r2' }, [...FOUR, '9.9.9.5'])
    t.match(await reload(same), { revision: 'r2' })
    const earlier = sound({ retrieved: '2027-01-01', checked: '2027-01-15', revision: 'r3' })
    t.match(await reload(earlier), { revision: 'r3' })
    await t.rejects(reload(sound({ retrieved: '2027-01-01', checked: '2027-01-16' })), /checked on 2027-01-16, a day/)
    await t.rejects(reload(sound({ retrieved: '2027-01-02' })), /It is of 2027-01-02, a day that is still to come/)
  }
)

t.test('what several routes lose is one reason, and an address that went to another channel is lost', async (t) => {
  const before = snapshotOf({ 'DC-01 sms': FOUR, 'DC-01 email': ['8.8.4.4'] })
  const { guard, reload } = await guarding({ channels: 'sms' }, before)
  guard.addRoute({ channels: ['sms'] })
  guard.addRoute({ channels: 'sms', dataCenters: ['DC-01'] })
  const moved = snapshotOf({ 'DC-01 sms': FOUR.slice(0, 1), 'DC-01 email': FOUR }, { revision: 'r2' })
  const { reasons } = await reload(moved).catch((error) => error)
  t.match(reasons, [{ suspicion: 'shrunk', message: /^3 of the 4 addresses of DC-01/ }])
  t.equal(reasons.length, 1)
  const five = ['11.0.0.0/8', '12.0.0.0/8', '13.0.0.0/8', '14.0.0.0/8', '15.0.0.0/8']
  const wide = await reload(snapshotOf({ 'DC-01 sms': [...FOUR, ...five] })).catch((reason) => reason)
  t.match(wide.message, /15\.0\.0\.0\/8: shorter/, 'five are named')
  t.notMatch(wide.message, /more:/)
})

t.test('a list may grow tenfold, and to a /12', async (t) => {
  const sixteens = (count: number, second = 0) => Array.from({ length: count }, (_, i) => `12.${second + i}.0.0/16`)
  const { reload } = await guarding({}, sound({}, sixteens(2)))
  t.match(await reload(sound({ revision: 'r2' }, sixteens(20))), { revision: 'r2' }, 'ten times as many')
  await t.rejects(reload(sound({ revision: 'r3' }, sixteens(201))), { message: /\(grown\)|more than ten|It covers/ })
  const few = await guarding()
  t.match(
    await few.reload(sound({ revision: 'r2' }, [...FOUR, ...sixteens(15)])),
    { revision: 'r2' },
    'less than a /12'
  )
  t.match(await few.reload(sound({ revision: 'r3' }, sixteens(150))), { revision: 'r3' }, 'step by step')
})

t.test('what one route accepts can shrink while the data center does not', async (t) => {
  const before = snapshotOf({ 'DC-01 connector': FOUR, 'DC-01 streams': ['9.9.9.9'] })
  const after = snapshotOf({ 'DC-01 connector': FOUR, 'DC-01 streams': ['9.9.9.10'] })
  const { guard, reload } = await guarding({}, before)
  guard.addRoute({ channels: 'streams' })
  guard.addRoute({ channels: 'all' })
  await t.rejects(reload(after), { message: /1 of the 1 addresses of DC-01 in use are gone: 9\.9\.9\.9\/32\./ })
  t.equal((await reload(before)).lastError, null)
})

t.test('a suspicious first list keeps the guard from starting; a short one is no reason', async (t) => {
  const wide = sound({}, [...FOUR, '11.0.0.0/8', '10.0.0.1'])
  for (const load of [() => wide, async () => wide]) {
    await t.rejects(loadGuard({ dataCenters: 'DC-01', source: load }), {
      code: 'MOE_ERR_SUSPICIOUS',
      reasons: [{ suspicion: 'wide' }, { suspicion: 'private' }]
    })
  }
  const confirm = ['wide', 'private'] as const
  createGuard({ dataCenters: 'DC-01', source: () => wide, confirm })
  createGuard({ dataCenters: 'DC-01', source: () => sound({ retrieved: '2020-01-01' }, ['9.9.9.9']) })
})

t.test('a malicious list leaves the one in use, and one line in the log', async (t) => {
  const million = Array.from({ length: 1_000_000 }, (_, i) => `9.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`)
  const { provenance, rows } = sound({ revision: 'r2' })
  const text = JSON.stringify(sound({ revision: 'r2' }))
  const deep = (text: string) => JSON.parse(`${'['.repeat(200_000)}${text}${']'.repeat(200_000)}`)
  const cyclic: { rows: unknown[] } = { rows: [] }
  cyclic.rows.push(cyclic)
  const long = 'x'.repeat(100_000)
  const wrong = (address: string) => ({ dataCenter: 'DC-01', channel: 'sms', addresses: [address] })
  const table: [what: string, next: unknown, why: RegExp][] = [
    ['everybody', sound({}, ['0.0.0.0/0']), /They cover half of the internet or more/],
    ['everybody in IPv6', sound({}, ['::/0']), /They cover half of the internet/],
    ['nobody', snapshotOf({ 'DC-01 connector': 'NA' }), /No row has an address/],
    ['a million entries', sound({}, million), /It holds more than 20000 values/],
    ['a million rows', { provenance, rows: million.map(wrong) }, /It holds more than 20000 values/],
    ['deep JSON', deep(''), /instead of a snapshot/],
    ['deep JSON in a field that nobody reads', { provenance, rows, extra: deep('') }, /deeper than 10 levels/],
    ['an object in itself', cyclic, /deeper than 10 levels/],
    [
      'prototype keys',
      JSON.parse(`{"__proto__":${text},"constructor":{"prototype":${text}}}`),
      /instead of a snapshot/
    ],
    [
      'prototype keys in a row',
      { provenance, rows: [JSON.parse(`{"__proto__":${JSON.stringify(rows[0])}}`)] },
      /unknown/
    ],
    ['long texts', { provenance: { ...provenance, retrieved: long }, rows: [wrong(long)] }, /is not a day/],
    [
      'thousands of mistakes',
      { provenance, rows: million.slice(0, 2_000).map((_, i) => wrong(`mistake ${i}`)) },
      /more lines/
    ]
  ]
  for (const [what, next, why] of table) {
    let load: () => unknown = () => sound()
    const { app, lines } = await guarded({ source: { name: 'ours', load: () => load() as Snapshot } })
    const before = lines.length
    load = () => next
    for (let i = 0; i < 2; i++) await t.rejects(app.moengage!.reload(), { code: 'MOE_ERR_SOURCE' }, what)
    t.equal(lines.length, before + 1, what)
    t.match(lines[before], { level: 50, msg: /^The list in use stays, revision r1 of 2026-11-20\. [^\n]*$/ }, what)
    t.match(lines[before]!.msg, why, what)
    t.ok(JSON.stringify(lines[before]).length < 5_000, what)
    t.match((await app.inject({ url: '/', remoteAddress: FOUR[0]! })).json(), { verified: true, revision: 'r1' }, what)
    await app.close()
  }
  t.notOk('rows' in {}, 'no prototype was changed')
})

t.test('whatever a source gives, the list in use stays or a sound one takes its place', async (t) => {
  const { guard, reload } = await guarding()
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.anything(), fc.jsonValue(), fc.object({ key: fc.constantFrom('rows', 'provenance', '__proto__') })),
      async (next) => {
        const error = await reload(next).catch((error) => error)
        return error.code === 'MOE_ERR_SOURCE' && guard.judge(from(FOUR[0]!)).verified
      }
    ),
    runs(100)
  )
  t.match(guard.status(), { revision: 'r1', verified: runs(100).numRuns })
})

t.test('no beginning of a snapshot is taken for a whole one', async (t) => {
  const text = JSON.stringify(sound({ revision: 'r2' }))
  let length = text.length
  const answer = (async () => new Response(text.slice(0, length))) as typeof fetch
  const guard = await loadGuard({ dataCenters: 'DC-01', source: { url: 'https://lists.example/', fetch: answer } })
  for (length = 0; length < text.length; length++) {
    const error = await guard.reload().catch((error) => error)
    if (error.code !== 'MOE_ERR_SOURCE') t.fail(text.slice(0, length))
  }
  t.match(await guard.reload(), { revision: 'r2', lastError: null })
  guard.close()
})

t.test('a channel that is named twice counts once', async (t) => {
  const derived = { dataCenter: 'DC-01', channel: 'push', addresses: { derivedFrom: new Array(9_000).fill('sms') } }
  const snapshot = { ...snapshotOf({ 'DC-01 sms': FOUR }), rows: [...snapshotOf({ 'DC-01 sms': FOUR }).rows, derived] }
  const { guard } = await guarding({}, snapshot)
  t.equal(guard.status().entries, 8)
})

t.test('an address that was removed is accepted for the grace period, to the millisecond', async (t) => {
  const { guard, clock, reload } = await guarding()
  const verdict = (peer: string, policy?: object) => guard.judge(from(peer), policy)
  const until = '2026-11-24T00:00:00.000Z'
  t.match(verdict('9.9.9.1'), { verified: true, graceUntil: null })
  await reload(sound({ revision: 'r2' }, FOUR.slice(1)))
  const removed = {
    verified: true,
    dataCenter: 'DC-01',
    channels: ['connector'],
    matched: '9.9.9.1/32',
    revision: 'r2'
  }
  t.match(verdict('9.9.9.1'), { ...removed, graceUntil: until })
  t.match(verdict('9.9.9.2'), { verified: true, graceUntil: null })
  t.strictSame(guard.status().pendingRemovals, [
    { prefix: '9.9.9.1/32', dataCenter: 'DC-01', channel: 'connector', until }
  ])
  t.match(guard.explain('9.9.9.1'), {
    text: `9.9.9.1 is verified: 9.9.9.1/32 was in MoEngage DC-01 (connector), and is accepted until ${until}.`,
    entries: [{ grant: `DC-01 connector (removed, accepted until ${until})` }]
  })
  const route = { channels: 'connector' }
  t.match(verdict('9.9.9.1', route), { graceUntil: until })
  clock.pass(DAY - 1, { timersAreLate: true })
  t.match(verdict('9.9.9.1'), { ...removed, graceUntil: until }, 'a millisecond before the end')
  clock.pass(1, { timersAreLate: true })
  for (const policy of [undefined, route]) {
    t.match(verdict('9.9.9.1', policy), { verified: false, reason: 'not-listed', revision: 'r2' })
    t.match(verdict('9.9.9.2', policy), { verified: true, graceUntil: null })
  }
  t.strictSame(guard.status().pendingRemovals, [])
})

t.test('each removal has its own end, and what comes back is removed no longer', async (t) => {
  const { guard, clock, reload } = await guarding()
  const graces = () =>
    FOUR.map((peer) => {
      const verdict = guard.judge(from(peer))
      return verdict.verified ? verdict.graceUntil : verdict.reason
    })
  await reload(sound({}, FOUR.slice(1)))
  clock.pass(HOUR)
  await reload(sound({}, FOUR.slice(2)))
  const [first, second] = ['2026-11-24T00:00:00.000Z', '2026-11-24T01:00:00.000Z']
  t.strictSame(graces(), [first, second, null, null])
  await reload(sound({}, FOUR.slice(2)))
  t.strictSame(graces(), [first, second, null, null], 'a reload that changes nothing prolongs nothing')
  await reload(sound({}, FOUR.slice(1)))
  t.strictSame(graces(), [first, null, null, null], 'an address is back')
  clock.pass(HOUR)
  await reload(sound({}, FOUR.slice(2)))
  t.strictSame(graces(), [first, '2026-11-24T02:00:00.000Z', null, null], 'and gone again')
  clock.pass(22 * HOUR)
  t.strictSame(graces(), ['not-listed', '2026-11-24T02:00:00.000Z', null, null])
  clock.pass(2 * HOUR)
  t.strictSame(graces(), ['not-listed', 'not-listed', null, null])
})

t.test('an address that moves is removed where it was', async (t) => {
  const before = snapshotOf({ 'DC-01 sms': [...FOUR, '9.9.9.9'], 'DC-02 sms': ['8.8.4.4'] })
  const after = snapshotOf({ 'DC-01 sms': FOUR, 'DC-01 push': ['8.8.8.8'], 'DC-02 sms': ['8.8.4.4', '9.9.9.9'] })
  const { guard, clock, reload } = await guarding({}, before)
  await reload(after)
  const table: [policy: object, verdict: object][] = [
    [{ dataCenters: 'DC-01' }, { dataCenter: 'DC-01', graceUntil: '2026-11-24T00:00:00.000Z' }],
    [{ dataCenters: 'DC-02' }, { dataCenter: 'DC-02', graceUntil: null }],
    [{ dataCenters: 'all' }, { dataCenter: 'DC-02', graceUntil: null }],
    [{ dataCenters: 'DC-01', channels: 'push' }, { reason: 'other-channel' }]
  ]
  for (const [policy, verdict] of table) t.match(guard.judge(from('9.9.9.9'), policy), verdict, JSON.stringify(policy))
  clock.pass(DAY)
  t.match(guard.judge(from('9.9.9.9')), { reason: 'other-data-center' })
})

t.test('the grace period can be chosen; deny and allow stand above it', async (t) => {
  const none = await guarding({ gracePeriod: 0 })
  await none.reload(sound({}, FOUR.slice(1)))
  t.match(none.guard.judge(from('9.9.9.1')), { reason: 'not-listed' })
  const short = await guarding({ gracePeriod: 1_000, deny: ['9.9.9.1'], allow: ['9.9.9.2'] })
  await short.reload(sound({}, FOUR.slice(2)))
  t.match(short.guard.judge(from('9.9.9.1')), { reason: 'denied' })
  t.match(short.guard.judge(from('9.9.9.2')), { verified: true, dataCenter: null, graceUntil: null })
  t.strictSame(
    short.guard.status().pendingRemovals.map(({ until }) => until),
    ['2026-11-23T00:00:01.000Z', '2026-11-23T00:00:01.000Z']
  )
})

t.test('a list that loses thousands at every turn does not grow without end', async (t) => {
  const turn = (n: number) => ({
    ...snapshotOf({
      'DC-01 sms': FOUR,
      'DC-02 sms': Array.from({ length: 15_000 }, (_, i) => `9.${n}.${i >> 8}.${i & 255}`)
    })
  })
  const { guard, reload } = await guarding({}, turn(10))
  await reload(turn(11))
  t.equal(guard.status().pendingRemovals.length, 15_000)
  await reload(turn(12))
  const { pendingRemovals } = guard.status()
  t.equal(pendingRemovals.length, 20_000)
  t.match(pendingRemovals.at(-1), { prefix: /^9\.11\./ }, 'the newest are kept')
})

t.test('a list ages: told in the status, warned of once a day, rejected only where asked for', async (t) => {
  const { guard, clock } = await guarding({ staleAfter: 10 * DAY })
  t.match(guard.status(), { age: 3 * DAY, entries: 5, warnings: [] })
  clock.pass(7 * DAY - 1)
  t.strictSame(guard.status().warnings, [])
  clock.pass(1)
  t.match(guard.status().warnings, [{ code: 'MOE_WARN_STALE', message: /10 days ago, on 2026-11-20/ }])
  clock.pass(1_000 * DAY)
  t.match(guard.judge(from('9.9.9.1')), { verified: true })

  const ahead = await guarding({}, sound({ retrieved: '2026-11-24' }))
  t.equal(ahead.guard.status().age, 0, 'a clock that is behind makes no list younger than new')
})

t.test('a list that was checked is fresh: its age counts from the day of the check', async (t) => {
  const options = { staleAfter: 10 * DAY, rejectWhenStale: true, confirm: ['future' as const] }
  const { guard, clock, reload } = await guarding(options)
  clock.pass(20 * DAY, { timersAreLate: true })
  t.match(guard.judge(from('9.9.9.1')), { reason: 'stale-list' })
  await reload(sound({ checked: '2026-12-11' }))
  t.match(guard.status(), {
    age: 2 * DAY,
    warnings: [],
    provenance: { retrieved: '2026-11-20', checked: '2026-12-11' }
  })
  t.equal(guard.metrics().checked, '2026-12-11')
  t.match(guard.judge(from('9.9.9.1')), { verified: true })
  clock.pass(8 * DAY, { timersAreLate: true })
  t.match(guard.status().warnings, [{ code: 'MOE_WARN_STALE', message: /last checked 10 days ago, on 2026-12-11/ }])
  t.match(guard.judge(from('9.9.9.1')), { reason: 'stale-list', hint: /last checked on 2026-12-11/ })
})

t.test('a list that is dated ahead of the clock is in use after a start, with a warning', async (t) => {
  const fix = 'Correct the date in the list, or the clock of this machine, and load the list again.'
  const warning = (value: string, message: string) => ({ code: 'MOE_WARN_FUTURE', path: 'source', value, message, fix })
  const table: [about: Parameters<typeof sound>[0], warnings: object[]][] = [
    [{ retrieved: '2026-11-24' }, []],
    [{ checked: '2026-11-24' }, []],
    [
      { retrieved: '2026-11-25' },
      [warning('2026-11-25', 'The list is of 2026-11-25, a day that is still to come: its age is unknown.')]
    ],
    [
      { checked: '2030-01-01' },
      [warning('2030-01-01', 'The list was checked on 2030-01-01, a day that is still to come: its age is unknown.')]
    ],
    [{ retrieved: '2030-01-01', checked: '2031-01-01' }, [{ value: '2031-01-01', message: /is of 2030-01-01/ }]]
  ]
  for (const [about, warnings] of table) {
    const { guard, clock } = await guarding({}, sound(about))
    t.match(guard.status(), { warnings }, JSON.stringify(about))
    t.equal(guard.status().warnings.length, warnings.length)
    t.match(guard.judge(from('9.9.9.1')), { verified: true })
    clock.pass(6 * 365 * DAY)
    t.match(guard.status().warnings, [{ code: 'MOE_WARN_STALE' }], 'when the day has passed, it ages as any other')
  }
})

t.test('the date of a list that is dated ahead is corrected by the next load, as its warning says', async (t) => {
  const rows: [inUse: string, next: string, isAccepted: boolean][] = [
    ['2027-11-22', '2026-11-22', true],
    ['2027-11-22', '2026-01-01', true],
    ['2026-11-25', '2026-11-24', true],
    // The clock is behind by a day at most.
    ['2026-11-24', '2026-11-23', false],
    // Both are wrong, or the clock is behind: a list that is sound is not rolled back.
    ['2027-11-22', '2027-11-21', false],
    ['2026-11-25', '2026-11-25', true]
  ]
  for (const [inUse, next, isAccepted] of rows) {
    const options = { staleAfter: 10 * DAY, rejectWhenStale: true }
    const { guard, reload } = await guarding(options, sound({ retrieved: inUse }))
    t.match(guard.judge(from('9.9.9.1')), { verified: true })
    const outcome = await reload(sound({ retrieved: next })).then(
      () => true,
      (error) => /older than the list in use/.test(error.message) && false
    )
    t.equal(outcome, isAccepted, `${inUse}, then ${next}`)
    t.equal(guard.status().provenance.retrieved, isAccepted ? next : inUse)
    if (next < '2026-11-24') {
      const { warnings, lastError } = guard.status()
      t.equal(lastError === null, isAccepted)
      if (isAccepted) t.notOk(warnings.some(({ code }) => code === 'MOE_WARN_FUTURE'))
    }
    // Its age is that of the day which is right.
    if (next === '2026-01-01') t.match(guard.judge(from('9.9.9.1')), { reason: 'stale-list' })
    guard.close()
  }
})

t.test('a check that is still to come is suspicious: such a list would never be stale', async (t) => {
  const { guard, reload } = await guarding({ staleAfter: 10 * DAY })
  await t.rejects(reload(sound({ checked: '2026-11-25' })), {
    code: 'MOE_ERR_SUSPICIOUS',
    message: /checked on 2026-11-25/
  })
  t.equal(guard.status().provenance.checked, undefined)
  await reload(sound({ checked: '2026-11-23' }))
  t.equal(guard.status().provenance.checked, '2026-11-23')
})

t.test('a stale list accepts nobody where that is asked for, until there is a newer one', async (t) => {
  const options = { staleAfter: 10 * DAY, rejectWhenStale: true, allow: ['8.8.8.8'], confirm: ['future' as const] }
  const { guard, clock, reload } = await guarding(options)
  clock.pass(7 * DAY - 1, { timersAreLate: true })
  t.match(guard.judge(from('9.9.9.1')), { verified: true })
  clock.pass(1, { timersAreLate: true })
  const table: [peer: string, verdict: object][] = [
    [
      '9.9.9.1',
      { reason: 'stale-list', hint: /last checked on 2026-11-20 \(revision r1\), and rejectWhenStale is set/ }
    ],
    ['8.8.4.4', { reason: 'other-data-center' }],
    ['1.1.1.1', { reason: 'not-listed' }],
    ['8.8.8.8', { verified: true, dataCenter: null }]
  ]
  for (const [peer, verdict] of table) t.match(guard.judge(from(peer)), verdict, peer)
  t.match(guard.status(), { rejected: { 'stale-list': 1 } })
  await reload(sound({ retrieved: '2026-11-29' }))
  t.match(guard.judge(from('9.9.9.1')), { verified: true })
})

t.test('whoever keeps a log is called once a day, in time for a list that has become stale', async (t) => {
  const clock = new TestClock('2026-11-23T12:00:00Z')
  const days: number[] = []
  const source = () => sound({ retrieved: '2026-08-27' })
  const guard = await loadGuard(
    { dataCenters: 'DC-01', source },
    { clock, onDay: () => days.push(guard.status().warnings.length) }
  )
  for (let hour = 0; hour < 72; hour++) clock.pass(HOUR)
  t.strictSame(days, [0, 1, 1])
  guard.close()
  clock.pass(DAY)
  t.equal(days.length, 3)
})
