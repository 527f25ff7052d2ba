import fc from 'fast-check'
import t from 'tap'
import { type AddressBook, type Sender, Senders } from '../../src/senders/senders.js'
import type { Reason } from '../../src/verdict/verdict.js'
import { runs } from '../support/properties.js'

const NOTHING: AddressBook = { listedFor: () => [], removed: () => null, isOwn: () => false }

/** 198.51.100.7 as a number. */
const WORD = 0xc6336407 | 0

const one = (key: number | string, reason: Reason, pattern: string | null, time: number, count = 1) => ({
  key,
  reason,
  pattern,
  time,
  count,
  withSecret: false,
  policies: 0
})

t.test('a sender has its exact count, times, reasons and routes', async (t) => {
  const senders = new Senders(10, undefined)
  senders.record(one(WORD, 'not-listed', '/a', 20))
  senders.record(one('2001:db8::1', 'denied', null, 25))
  senders.record(one(WORD, 'denied', '/b', 10, 7))
  senders.record(one(WORD, 'not-listed', '/a', 15))
  t.equal(senders.size, 2)
  t.notOk(senders.isCrowd)
  t.strictSame(senders.list(NOTHING), [
    {
      clientIp: '198.51.100.7',
      count: 9,
      firstSeen: 10,
      lastSeen: 20,
      reasons: { 'not-listed': 2, denied: 7 },
      withSecret: {},
      routes: ['/a', '/b'],
      listedFor: [],
      removed: null,
      isOwn: false
    },
    {
      clientIp: '2001:db8::1',
      count: 1,
      firstSeen: 25,
      lastSeen: 25,
      reasons: { denied: 1 },
      withSecret: {},
      routes: [],
      listedFor: [],
      removed: null,
      isOwn: false
    }
  ])
})

t.test('the first eight routes of a sender are kept, each once', async (t) => {
  const senders = new Senders(10, undefined)
  for (let i = 0; i < 100; i++) senders.record(one(WORD, 'not-listed', `/${i % 50}`, i))
  t.strictSame(
    senders.list(NOTHING)[0]?.routes,
    Array.from({ length: 8 }, (_, i) => `/${i}`)
  )
})

t.test(
  'senders are listed by count, then by when they were seen last; by the count of a reason where one is given',
  async (t) => {
    const senders = new Senders(10, undefined)
    senders.record(one('::a', 'not-listed', null, 1, 5))
    senders.record(one('::b', 'denied', null, 2, 3))
    senders.record(one('::b', 'not-listed', null, 2))
    senders.record(one('::c', 'denied', null, 3, 4))
    const names = (query: Parameters<Senders['list']>[1]) =>
      senders.list(NOTHING, query).map(({ clientIp }) => clientIp)
    t.strictSame(names({}), ['::a', '::c', '::b'])
    t.strictSame(names({ reason: 'denied' }), ['::c', '::b'])
    t.strictSame(names({ reason: 'not-listed', limit: 1 }), ['::a'])
    t.strictSame(names({ reason: 'unresolved' }), [])
  }
)

t.test(
  'who carried the secret is not left out for strangers who are louder, whether they are redacted or not',
  async (t) => {
    const joined = Object.assign((address: string) => address, { joins: (key: number | string) => key })
    for (const redact of [undefined, joined]) {
      const senders = new Senders(100, redact)
      for (let i = 10; i < 40; i++) senders.record(one(`::${i}`, 'not-listed', null, i, 5))
      senders.record({ ...one('::9', 'not-listed', null, 1), withSecret: true })
      senders.record(one('::8', 'not-listed', null, 99, 7))
      const listed = (query: object) => senders.list(NOTHING, query).map(({ clientIp }) => clientIp)
      t.strictSame(listed({ limit: 3 }), ['::8', '::39', '::9'])
      t.strictSame(listed({ limit: 2, reason: 'not-listed' }), ['::8', '::39'], 'a reason asks for the loudest')
    }
  }
)

t.test('only published or only removed addresses are listed, however loud the others are', async (t) => {
  const book: AddressBook = {
    listedFor: (clientIp) => (clientIp === '::2' ? [{ dataCenter: 'DC-01', channels: ['sms'] }] : []),
    removed: (clientIp) => (clientIp === '::3' ? '2026-11-23' : null),
    isOwn: () => false
  }
  const senders = new Senders(1000, undefined)
  for (let i = 10; i < 600; i++) senders.record(one(`::${i}`, 'not-listed', null, i, 50))
  for (const key of ['::2', '::3']) senders.record(one(key, 'not-listed', null, 1))
  t.match(senders.list(book, { only: 'listedFor' }), [{ clientIp: '::2', listedFor: [{ dataCenter: 'DC-01' }] }])
  t.match(senders.list(book, { only: 'removed', limit: 3 }), [{ clientIp: '::3', removed: '2026-11-23' }])
  t.equal(senders.list(book, { only: 'removed' }).length, 1)
})

t.test('addresses that have one redacted text are one sender, and are ranked as one', async (t) => {
  const truncate = (address: string) => address.replace(/\d+$/, 'x')
  const redact = Object.assign(truncate, { joins: (key: number | string) => truncate(`${key}`) })
  const book: AddressBook = {
    listedFor: (clientIp) => (clientIp === '10.0.0.2' ? [{ dataCenter: 'DC-01', channels: [] }] : []),
    removed: (clientIp) => (clientIp === '10.0.0.3' ? '2026-11-23' : null),
    isOwn: (clientIp) => clientIp === '10.0.0.1'
  }
  const senders = new Senders(100, redact)
  senders.record(one('10.0.1.1', 'not-listed', '/loud', 5, 4))
  senders.record(one('10.0.0.1', 'not-listed', '/a', 3, 2))
  senders.record(one('10.0.0.2', 'denied', '/b', 1, 2))
  for (let i = 0; i < 9; i++) senders.record(one('10.0.0.3', 'denied', `/${i}`, 9))
  const [{ routes, ...sender }] = senders.list(book, { limit: 1 }) as [Sender]
  t.strictSame(sender, {
    clientIp: '10.0.0.x',
    count: 13,
    firstSeen: 1,
    lastSeen: 9,
    reasons: { 'not-listed': 2, denied: 11 },
    withSecret: {},
    listedFor: [{ dataCenter: 'DC-01', channels: [] }],
    removed: '2026-11-23',
    isOwn: true
  })
  t.equal(new Set(routes).size, 8, 'eight of the eleven routes')
  const withSecret = { withSecret: true }
  senders.record({ ...one('10.0.2.3', 'other-channel', null, 1), ...withSecret })
  senders.record({ ...one('10.0.2.1', 'not-listed', null, 1), ...withSecret })
  senders.record({ ...one('10.0.2.2', 'not-listed', null, 2), ...withSecret })
  senders.record({ ...one('10.0.2.2', 'denied', null, 3), ...withSecret })
  t.match(senders.list(book, { withSecret: true }), [
    { clientIp: '10.0.2.x', withSecret: { 'not-listed': 2, denied: 1, 'other-channel': 1 } }
  ])
  t.match(senders.list(book)[1], { clientIp: '10.0.1.x', count: 4, routes: ['/loud'], listedFor: [], removed: null })
  t.match(senders.list(book, { limit: 2 })[0], { count: 13 }, 'listing changes nothing')
})

t.test('a text that belongs to one address only is applied after ranking', async (t) => {
  let calls = 0
  const senders = new Senders(100, (address) => {
    calls++
    return `hash of ${address}`
  })
  for (let i = 0; i < 50; i++) senders.record(one(`::${i}`, 'not-listed', null, i, i + 1))
  t.match(senders.list(NOTHING, { limit: 1 }), [{ clientIp: 'hash of ::49', count: 50 }])
  t.equal(calls, 1)
})

t.test('counts are those since firstSeen, whoever was forgotten in between', async () => {
  const rejections = fc.array(
    fc.record({
      key: fc.oneof(fc.integer({ min: -30, max: 30 }), fc.constantFrom('2001:db8::1', '2001:db8::2')),
      reason: fc.constantFrom<Reason>('not-listed', 'denied'),
      count: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 9 })),
      isAsked: fc.boolean()
    }),
    { maxLength: 700 }
  )
  fc.assert(
    fc.property(rejections, fc.integer({ min: 1, max: 30 }), (list, capacity) => {
      const senders = new Senders(capacity, undefined)
      for (const [time, { key, reason, count, isAsked }] of list.entries()) {
        senders.record(one(key, reason, null, time, count))
        if (isAsked && senders.size > capacity) throw new Error(`${senders.size} of ${capacity} are remembered`)
      }
      const distinct = new Set(list.map(({ key }) => key)).size
      if (senders.isCrowd !== distinct > capacity) throw new Error(`crowd: ${senders.isCrowd}`)
      if (senders.size !== Math.min(distinct, capacity)) throw new Error(`${senders.size} are remembered`)
      for (const { clientIp, count, firstSeen, lastSeen, reasons } of senders.list(NOTHING)) {
        const own = list.filter(({ key }, time) => time >= firstSeen && nameOf(key) === clientIp)
        const expected = own.reduce((sum, rejection) => sum + rejection.count, 0)
        if (count !== expected) throw new Error(`${clientIp}: ${count} instead of ${expected}`)
        if (Object.values(reasons).reduce((sum, n) => sum + n, 0) !== count) throw new Error(`${clientIp}: reasons`)
        if (list.findLastIndex(({ key }) => nameOf(key) === clientIp) !== lastSeen) throw new Error(`${lastSeen}`)
      }
    }),
    runs(300)
  )
})

const nameOf = (key: number | string) =>
  typeof key === 'string' ? key : [24, 16, 8, 0].map((bits) => (key >>> bits) & 255).join('.')
