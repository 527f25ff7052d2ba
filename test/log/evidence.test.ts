import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { type MoEngageAllowlistOptions, secretHeader } from '../../src/index.js'
import { HourlyThrottle } from '../../src/log/throttle.js'
import { LISTED, LISTED_IN, UNLISTED } from '../support/addresses.js'
import { guarded } from '../support/guarded.js'

const SECRET = 'shared-secret-1'
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const START = Date.UTC(2026, 10, 25)

// biome-ignore lint/suspicious/noExplicitAny: lines are what they are
type Line = any

/** A guarded app whose clock stands still until `pass` is called. */
async function standing(t: Test, options: Partial<MoEngageAllowlistOptions> = {}) {
  mock.timers.reset()
  mock.timers.enable({ apis: ['Date', 'setTimeout'], now: START })
  t.teardown(() => mock.timers.reset())
  const { app, lines } = await guarded({ carriesSecret: secretHeader('x-moe-token', SECRET), ...options }, (app) => {
    app.get('/hooks/:id', async () => 'ok')
    app.get('/quiet', { logLevel: 'error' }, async () => 'ok')
  })
  const send = (clientIp: string, secret = SECRET, url = '/hooks/1') =>
    app.inject({ url, headers: { 'x-forwarded-for': clientIp, 'x-moe-token': secret } })
  const events = (event: string): Line[] =>
    (lines as Line[]).filter(({ moengage }) => moengage?.event === `moengage.${event}`).map(({ moengage }) => moengage)
  return { app, send, events, pass: (ms: number) => mock.timers.tick(ms) }
}

t.test('strangers cannot use up the lines of senders with the secret', async (t) => {
  const { app, send, events } = await standing(t, { log: { linesPerSecond: 1 } })
  for (let i = 0; i < 50; i++) await send(`20.0.0.${i}`, 'wrong')
  t.equal(events('rejected').length, 10)
  await send(UNLISTED)
  await send(LISTED_IN['DC-03'])
  t.match(events('rejected').slice(10), [
    { clientIp: UNLISTED, carriesSecret: true, paste: `allow: ['${UNLISTED}']`, isOwn: false },
    { clientIp: LISTED_IN['DC-03'], carriesSecret: true, paste: null }
  ])
  // Nor the other way round.
  for (let i = 0; i < 50; i++) await send(`20.0.1.${i}`)
  t.equal(events('rejected').length, 20)
  await app.close()
  t.match(events('summary'), [
    {
      suppressed: { reject: { 'not-listed': 82 } },
      suppressedWithSecret: { reject: { 'not-listed': 42 }, tag: {} },
      rejected: { 'not-listed': 101, 'other-data-center': 1 },
      rejectedWithSecret: { 'not-listed': 51, 'other-data-center': 1 },
      diagnosis: [/^51 addresses /, /^3\.6\.251\.95 \(1 request\) carries your secret/]
    }
  ])
})

t.test('a sender with the secret and without has lines of its own for both', async (t) => {
  const { app, send, events, pass } = await standing(t)
  for (const secret of [SECRET, 'wrong', SECRET, 'wrong', 'wrong']) await send(UNLISTED, secret)
  t.match(events('rejected'), [{ carriesSecret: true }, { carriesSecret: false, paste: null }])
  t.equal(events('rejected').length, 2)
  pass(2 * MINUTE)
  t.match(events('summary')[0].suppressedOf, [
    { clientIp: UNLISTED, count: 2, withSecret: false },
    { clientIp: UNLISTED, count: 1, withSecret: true }
  ])
  await app.close()
})

t.test('a redacted address is not one to paste', async (t) => {
  const { app, send, events } = await standing(t, { redactAddress: 'truncate' })
  await send(UNLISTED)
  t.match(events('rejected'), [{ clientIp: '8.8.8.0/24', carriesSecret: true, paste: null }])
  await app.close()
})

t.test('your own proxy is not one to paste', async (t) => {
  const { app, send, events } = await standing(t)
  await send('10.1.2.3')
  t.match(events('rejected'), [{ clientIp: '10.1.2.3', carriesSecret: true, paste: null, isOwn: true }])
  await app.close()
})

t.test('rejections with the secret that get no line are counted as such', async (t) => {
  const { app, send, events } = await standing(t)
  await send(UNLISTED, SECRET, '/quiet')
  await app.close()
  t.match(events('summary'), [{ suppressedWithSecret: { reject: { 'not-listed': 1 } } }])
})

t.test('a verified request without the secret gets a line an hour, with the number of those in between', async (t) => {
  const { app, send, events, pass } = await standing(t, { expectSecret: true })
  for (let minute = 0; minute <= 120; minute += 20) {
    await send(LISTED, '')
    await send(LISTED)
    pass(20 * MINUTE)
  }
  t.match(events('without-secret'), [{ suppressed: 0 }, { suppressed: 2 }, { suppressed: 2 }])
  t.match(events('without-secret')[0], {
    clientIp: LISTED,
    dataCenter: 'DC-01',
    route: '/hooks/:id',
    method: 'GET',
    hint: /^The address is MoEngage's, of DC-01, and the request does not carry your secret/
  })
  await send(LISTED, '', '/quiet')
  await app.close()
  t.equal(
    events('summary').reduce((sum, { verifiedWithoutSecret }) => sum + verifiedWithoutSecret, 0),
    8
  )
})

t.test('an address of your own allow list is spoken of as such; a silent guard writes nothing', async (t) => {
  for (const logLevel of ['warn', 'silent'] as const) {
    const { app, send, events } = await standing(t, { expectSecret: true, allow: [UNLISTED], logLevel })
    await send(UNLISTED, '')
    t.match(events('without-secret'), logLevel === 'warn' ? [{ hint: /^The address is in your "allow" list/ }] : [])
    t.equal(app.moengage!.status().verifiedWithoutSecret, 1)
    await app.close()
  }
})

t.test('lines about verified requests have a bucket, and a clock that goes back silences nobody', async (t) => {
  const throttle = new HourlyThrottle(0.1)
  t.equal(throttle.admit('20.0.0.1', START), 0)
  for (let i = 0; i < 3; i++) t.equal(throttle.admit('20.0.0.2', START), undefined, 'the bucket is empty')
  t.equal(throttle.admit('20.0.0.2', START + 10_000), 3, 'and counts what it withheld')
  t.equal(throttle.admit('20.0.0.2', START + HOUR), undefined)
  t.equal(throttle.admit('20.0.0.2', START - HOUR), undefined, 'the bucket was used up')
  t.equal(throttle.admit('20.0.0.2', START - HOUR + 10_000), 2)
})
