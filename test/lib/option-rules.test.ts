import fc from 'fast-check'
import t from 'tap'
import { Findings, Option, type OptionRule } from '../../src/lib/option.js'
import { callback, duration, flag, number, oneOf, refuseNoList } from '../../src/lib/option-rules.js'
import { shown } from '../../src/lib/text.js'
import { runs } from '../support/properties.js'

/** What a rule makes of a value. */
function read<T>(rule: Pick<OptionRule<T>, 'read'>, value: unknown) {
  const findings = new Findings()
  const scope = { path: '', findings, top: { table: {}, options: {} }, foreign: {} }
  return { result: rule.read(new Option('x', value, scope)), ...findings }
}

/** The value in code that a fix says to write. */
const written = (fix: string) => /^Write (.+?)(?:,| or ['f]|\.$)/.exec(fix)?.[1] ?? 'undefined'

t.test('a rule accepts its values, and refuses others with one that it accepts', async (t) => {
  const level = oneOf(['info', 'warn'], 'level', 'info')
  const whole = number({ fallback: 10, of: 'things', min: 1, max: 20 })
  const share = number({ fallback: 0.5, of: 'things', min: 0.1, max: 1, isWhole: false })
  const call = callback('(error) => error')
  const table: [rule: OptionRule<unknown>, accepted: unknown[], refused: unknown[]][] = [
    [flag(false), [true, false], ['true', 1, null, {}]],
    [flag(true), [true, false], ['false', 0]],
    [level, ['info', 'warn'], ['INFO', 'loud', 5, ['info'], null]],
    [whole, [1, 10, 20], [0, 21, 1.5, '10', 10n, Number.NaN, Number.POSITIVE_INFINITY, null]],
    [share, [0.1, 0.7, 1], [0, 1.1, '0.5', Number.NaN]],
    [call, [() => 1], ['log', null, {}]]
  ]
  for (const [rule, accepted, refused] of table) {
    for (const value of accepted) t.strictSame(read(rule, value), { result: value, mistakes: [], warnings: [] })
    for (const value of refused) {
      const { result, mistakes } = read(rule, value)
      t.equal(result, undefined)
      t.match(mistakes, [{ code: 'MOE_ERR_OPTION_VALUE', path: 'x' }])
    }
    const { fix } = read(rule, Symbol('x')).mistakes[0]!
    const [, words] = /^Use one of: (.*)\.$/.exec(fix) ?? []
    const codes: string[] = words === undefined ? [written(fix)] : words.split(', ').map((word) => `'${word}'`)
    for (const code of [...codes, rule.example]) {
      t.strictSame(read(rule, new Function(`return ${code}`)()).mistakes, [], code)
    }
  }
})

t.test('what a text or a number means is what the advice says, and never its opposite', async (t) => {
  const whole = number({ fallback: 10, of: 'things', min: 1, max: 500 })
  const share = number({ fallback: 0.5, of: 'things', min: 0.1, max: 1, isWhole: false })
  const table: [rule: OptionRule<unknown>, values: unknown[], fix: RegExp][] = [
    [flag(false), ['true', ' TRUE ', 'yes', 'on', '1', 1], /^Write true\.$/],
    [flag(false), ['false', 'False', 'no', 'off', '0', 0, '', ' '], /^Write false\.$/],
    [flag(true), ['true', 1], /^Write true\.$/],
    [flag(true), ['false', 0], /^Write false\.$/],
    [flag(false), ['maybe', 2, Number.NaN, null, {}, [], ['false'], 1n], /^Write true or false\.$/],
    [whole, ['500', ' 500 ', 500n], /^Write 500, or another whole number/],
    [whole, ['501', '0', '1.5', '-3', '', '5e2', 501, 501n, [5], { valueOf: () => 5 }, true], /^Write 10, or another/],
    [share, ['0.75', ' 0.75'], /^Write 0\.75, or another number/],
    [share, ['2', 'half'], /^Write 0\.5, or another number/]
  ]
  for (const [rule, values, fix] of table) {
    for (const value of values) t.match(read(rule, value).mistakes, [{ fix }], shown(value))
  }
})

const DAY = 86_400_000
const BOUNDS = { fallback: DAY, example: `'1d'`, min: 0, max: 1000 * DAY, doubtful: DAY } as const
const age = duration({ fallback: 90 * DAY, example: `'90d'`, min: 1, max: 1000 * DAY, doubtful: DAY })
const wait = duration({ fallback: undefined, example: `'1h'`, min: 1000, max: 2 ** 31 - 1, doubtful: 5000 })

t.test('a time is a number of milliseconds or a text with a unit', async (t) => {
  for (const [value, result] of [
    ['90d', 90 * DAY],
    ['1ms', 1],
    [2 * DAY, 2 * DAY],
    ['36h', 1.5 * DAY]
  ] as const) {
    t.strictSame(read(age, value), { result, mistakes: [], warnings: [] })
  }
  t.equal(read(wait, 2 ** 31 - 1).result, 2 ** 31 - 1)
  const short = duration({ ...BOUNDS, max: 3_600_000, doubtful: 1 })
  t.match(read(short, '2h').mistakes, [{ fix: /from '0ms' to '1h'\.$/ }])
  const table: [rule: OptionRule<unknown>, value: unknown, message: RegExp, fix: RegExp][] = [
    [age, 'soon', /^'soon' is not a time\.$/, /^Write '90d', or another time from '1ms' to '1000d'\.$/],
    [age, '90', /^'90' has no unit\.$/, /^Write '90s', '90m', '90h' or '90d', or another time /],
    [age, ' 90 ', /^' 90 ' has no unit/, /^Write '90s', /],
    [age, '5000', /has no unit/, /^Write '5000s', '5000m' or '5000h', or/],
    [age, '1M', /^'1M' may be minutes or months\.$/, /^Write '1m' or '30d', or another time /],
    [age, '1.5 M', /may be minutes or months/, /^Write '1\.5m' or '45d', or/],
    [short, '2M', /may be minutes or months/, /^Write '2m', or/],
    [age, '0M', /may be minutes or months/, /^Write '90d', or/],
    [age, '0', /has no unit/, /^Write '90d', or/],
    [short, '0', /has no unit/, /^Write '0ms', or another time from '0ms' /],
    [age, '-5', /has no unit/, /^Write '90d', or/],
    [short, '50', /has no unit/, /^Write '50s' or '50m', or/],
    [short, '600', /has no unit/, /^Write '600s', or/],
    [age, '', /^'' is not a time/, /^Write '90d'/],
    [age, null, /^null is not a time/, /^Write '90d'/],
    [age, true, /^true is not a time/, /^Write '90d'/],
    [age, Object.create(null), /^\{\} is not a time/, /^Write '90d'/],
    [age, [{ toString: 0 }], /^\[\{…\}\] is not a time/, /^Write '90d'/],
    [age, Number.NaN, /^NaN is not a time/, /^Write '90d'/],
    [age, 1.5, /^1\.5 is not a time/, /^Write '1\.5s', '1\.5m', '1\.5h' or '1\.5d', or/],
    [age, '2000d', /^'2000d' is too long/, /^Write '90d'/],
    [age, Number.MAX_SAFE_INTEGER, /is a number of milliseconds, and too long/, /^Write '90d'/],
    [age, -1, /^-1 is a number of milliseconds, and too short/, /^Write '90d'/],
    [age, '-1d', /^'-1d' is too short/, /^Write '90d'/],
    [
      wait,
      5,
      /^5 is a number of milliseconds, and too short/,
      /^Write '5s', '5m', '5h' or '5d', or another time from '1s' to '24d'\.$/
    ],
    [wait, 60, /too short/, /^Write '60s', '60m' or '60h', or/],
    [wait, 600, /too short/, /^Write '600s' or '600m', or/],
    [wait, '999ms', /^'999ms' is too short/, /^Write '1h'/]
  ]
  for (const [rule, value, message, fix] of table) {
    const { result, mistakes, warnings } = read(rule, value)
    t.equal(result, undefined)
    t.match(mistakes, [{ path: 'x', message, fix }], shown(value))
    t.strictSame(warnings, [])
    const again = read(rule, new Function(`return ${written(mistakes[0]!.fix)}`)())
    t.strictSame([again.mistakes, again.warnings], [[], []], 'the fix is accepted')
  }
})

t.test('a number that is hardly meant as milliseconds is a warning that names the number in each unit', async (t) => {
  const table: [rule: OptionRule<unknown>, value: number, meant: string][] = [
    [age, 90, `'90s', '90m', '90h' or '90d'`],
    [age, 7_776_000, `'7776000s'`],
    [age, 86_400, `'86400s' or '86400m'`],
    [wait, 3_600, `'3600s' or '3600m'`],
    [wait, 4_999, `'4999s' or '4999m'`]
  ]
  for (const [rule, value, meant] of table) {
    const { result, mistakes, warnings } = read(rule, value)
    t.equal(result, value)
    t.strictSame(mistakes, [])
    t.match(warnings, [{ code: 'MOE_WARN_DURATION', path: 'x', value, message: /milliseconds/ }])
    t.equal(warnings[0]!.fix, `Write ${meant}, or '${value}ms' if it is.`)
    for (const text of [...meant.split(/, | or /).map((code) => code.slice(1, -1)), `${value}ms`]) {
      t.strictSame(read(rule, text).warnings, [], `${text} is accepted without a warning`)
    }
  }
  t.strictSame(read(duration({ ...BOUNDS, min: 0 }), 0).warnings, [], '0 is 0 in any unit')
})

t.test('whatever a time is written as, the fix of a mistake is accepted', async (t) => {
  const values = fc.oneof(
    fc.anything(),
    fc.integer(),
    fc.double(),
    fc.nat().map(String),
    fc.stringMatching(/^\d{1,6}[smhdw]$/)
  )
  fc.assert(
    fc.property(values, fc.constantFrom<OptionRule<unknown>>(age, wait), (value, rule) => {
      const { mistakes, warnings } = read(rule, value)
      for (const { fix } of [...mistakes, ...warnings]) {
        const again = read(rule, new Function(`return ${written(fix)}`)())
        t.strictSame([again.mistakes, again.warnings], [[], []], `${shown(value)}: ${fix}`)
      }
    }),
    runs(500)
  )
})

t.test('a text in the place of a list becomes the list, where its parts are accepted', async (t) => {
  const even: Pick<OptionRule<unknown>, 'read'> = {
    read(option) {
      const { value } = option
      if (!Array.isArray(value)) return refuseNoList(option, even.read, 'even numbers', `['2', '4']`)
      for (const item of option.items(value)) {
        if (Number(item.value) % 2 !== 0) item.refuse(`${item.value} is odd.`, `Write '2'.`)
      }
      return value
    }
  }
  const table: [value: unknown, message: string, fix: string][] = [
    ['2', `'2' is not a list of even numbers.`, `Write ['2'].`],
    ['2,4', `'2,4' is not a list of even numbers.`, `Write ['2', '4'].`],
    [' 2; 4\t6,', `' 2; 4\\u{9}6,' is not a list of even numbers.`, `Write ['2', '4', '6'].`],
    [
      '["2","4"]',
      `'["2","4"]' is not a list of even numbers.`,
      `Write ['2', '4'], or parse the text before you pass it: JSON.parse(…).`
    ],
    [`["${'2'.repeat(70)}"]`, /is not a list/ as never, 'Parse the text before you pass it: JSON.parse(…).'],
    ['["3"]', `'["3"]' is not a list of even numbers.`, `Write a list, such as ['2', '4']. 3 is odd. Write '2'.`],
    ['[]', `'[]' is not a list of even numbers.`, `Write a list, such as ['2', '4'].`],
    ['"2"', `'"2"' is not a list of even numbers.`, `Write ['2'].`],
    [
      '[2, 4]',
      `'[2, 4]' is not a list of even numbers.`,
      `Write [2, 4], or parse the text before you pass it: JSON.parse(…).`
    ],
    ["['2', '4']", /is not a list/ as never, `Write ['2', '4'].`],
    ['[2;4]', `'[2;4]' is not a list of even numbers.`, `Write ['2', '4'].`],
    ['2,3', `'2,3' is not a list of even numbers.`, `Write a list, such as ['2', '4']. 3 is odd. Write '2'.`],
    ['3,5', `'3,5' is not a list of even numbers.`, `Write a list, such as ['2', '4']. 3 is odd. Write '2'.`],
    ['', `'' is not a list of even numbers.`, `Write a list, such as ['2', '4'].`],
    [2, '2 is not a list of even numbers.', `Write a list, such as ['2', '4'].`],
    [null, 'null is not a list of even numbers.', `Write a list, such as ['2', '4'].`],
    [{ a: 1 }, '{ a } is not a list of even numbers.', `Write a list, such as ['2', '4'].`]
  ]
  for (const [value, message, fix] of table) t.match(read(even, value).mistakes, [{ path: 'x', message, fix }])
})
