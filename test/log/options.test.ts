import t from 'tap'
import { createGuard, type OptionsError, type RedactAddress } from '../../src/core.js'
import { readLogOptions } from '../../src/log/options.js'
import type { Problem } from '../../src/problem.js'
import { readRedaction } from '../../src/senders/redact.js'
import { readOnVerdict } from '../../src/server/verdict-listener.js'

const DEFAULTS = { linesPerSecond: 10, summaryEvery: 60_000 }

t.test('the option log has defaults, and each wrong value is told', async (t) => {
  const table: [options: unknown, expected: object, paths: string[]][] = [
    [undefined, DEFAULTS, []],
    [{}, DEFAULTS, []],
    [{ linesPerSecond: 0.1 }, { ...DEFAULTS, linesPerSecond: 0.1 }, []],
    [{ summaryEvery: 1000 }, { ...DEFAULTS, summaryEvery: 1000 }, []],
    [{ linesPerSecond: 0, summaryEvery: '1' }, DEFAULTS, ['log.linesPerSecond', 'log.summaryEvery']],
    [{ linesPerSecond: Number.NaN, summaryEvery: 2 ** 31 }, DEFAULTS, ['log.linesPerSecond', 'log.summaryEvery']],
    [{ repeatAfter: 1, repeatAtMost: 1 }, DEFAULTS, ['log.repeatAfter', 'log.repeatAtMost']],
    [{ linesPerMinute: 1 }, DEFAULTS, ['log.linesPerMinute']],
    ['warn', DEFAULTS, ['log']],
    [null, DEFAULTS, ['log']]
  ]
  for (const [options, expected, paths] of table) {
    const mistakes: Problem[] = []
    t.strictSame(readLogOptions(options, mistakes), expected, JSON.stringify(options))
    t.strictSame(
      mistakes.map(({ path }) => path),
      paths
    )
  }
})

t.test('addresses are truncated to their network, or told by a keyed hash', async (t) => {
  const key = 'a key that nobody can guess'
  const truncate = readRedaction('truncate', [])!
  const hash = readRedaction({ key }, [])!
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
  t.not(readRedaction({ key: `${key}!` }, [])!('198.51.100.7'), hash('198.51.100.7'))
  t.equal(hash('unix'), 'unix')
  t.equal(hash('x'), 'unreadable')
})

t.test('a way to redact that does not protect is refused, without showing the key', async (t) => {
  for (const redactAddress of ['hash', true, null, { key: 'sesame' }, { key: 5 }, {}]) {
    try {
      createGuard({ dataCenters: 'DC-01', redactAddress: redactAddress as RedactAddress })
      t.fail(JSON.stringify(redactAddress))
    } catch (error) {
      t.match(error, { code: 'MOE_ERR_OPTIONS', mistakes: [{ path: 'redactAddress' }] })
      t.notMatch(JSON.stringify([(error as Error).message, (error as OptionsError).mistakes]), /sesame/)
    }
  }
})

t.test('onVerdict is a function', async (t) => {
  const mistakes: Problem[] = []
  t.equal(readOnVerdict(undefined, mistakes), undefined)
  t.type(
    readOnVerdict(() => {}, mistakes),
    'function'
  )
  t.strictSame(mistakes, [])
  readOnVerdict('log', mistakes)
  t.match(mistakes, [{ path: 'onVerdict' }])
})
