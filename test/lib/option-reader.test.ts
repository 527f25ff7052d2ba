import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import t from 'tap'
import type { OptionsError, Problem } from '../../src/errors.js'
import type { Option, OptionTable } from '../../src/lib/option.js'
import { placesOf } from '../../src/lib/option-advice.js'
import { OptionReader } from '../../src/lib/option-reader.js'
import { duration, flag, number } from '../../src/lib/option-rules.js'

/** A small library's options: a pump, with a tank in a group of its own. */
const TANK = {
  liters: number({ fallback: 10, of: 'liters', min: 1, max: 100 }),
  isOpen: flag(false),
  names: flag(false),
  trusted: { ...flag(false), decidesTrust: true },
  pin: { fallback: '', example: `'0000'`, isSecret: true, read: readPin }
} satisfies OptionTable
const PUMP = {
  name: { fallback: '', example: `'north'`, required: `Write name: 'north'.`, read: ({ value }) => String(value) },
  speed: { ...number({ fallback: 3, of: 'turns', min: 1, max: 9 }), aliases: ['rpm'] },
  every: duration({ fallback: 60_000, example: `'1m'`, min: 1_000, max: 86_400_000, doubtful: 5_000 }),
  tank: {
    fallback: { liters: 10, isOpen: false, names: false, trusted: false, pin: '' },
    example: '{ liters: 10 }',
    group: { table: TANK, beside: (name) => (name === 'liters' ? [] : ['liters']) },
    read: (option) =>
      typeof option.value === 'object'
        ? OptionReader.inside(TANK, option).readAll()
        : option.refuse('It is not an object.', 'Write { liters: 10 }.')
  }
} satisfies OptionTable

function readPin(option: Option): string | undefined {
  const { value } = option
  return typeof value === 'string' && value.length === 4 ? value : option.refuse('The pin is wrong.', `Write '0000'.`)
}

function read(options: unknown) {
  const foreign = { color: 'Paint it.' }
  const reader = OptionReader.open(PUMP, options, `Write { name: 'north' }.`, foreign)
  const values = reader.readAll()
  reader.checkNames()
  return { values, ...reader.findings, reader }
}

const mistakesOf = (options: unknown) => {
  try {
    return read(options).mistakes
  } catch (error) {
    return (error as OptionsError).mistakes
  }
}

t.test('options are read, and what is left out has its default', async (t) => {
  t.strictSame(read({ name: 'a' }).values, {
    name: 'a',
    speed: 3,
    every: 60_000,
    tank: { liters: 10, isOpen: false, names: false, trusted: false, pin: '' }
  })
  const { values, mistakes } = read({ name: 'b', speed: undefined, every: '2m', tank: { isOpen: true, pin: '1234' } })
  t.strictSame(values, {
    name: 'b',
    speed: 3,
    every: 120_000,
    tank: { liters: 10, isOpen: true, names: false, trusted: false, pin: '1234' }
  })
  t.strictSame(mistakes, [])
  const { reader } = read({ name: 'a' })
  t.equal(reader.read('speed', 7), 7, 'a default of the caller')
  t.doesNotThrow(() => reader.throwMistakes())
})

t.test('every mistake is found, and what was refused has its default', async (t) => {
  const { values, mistakes, reader } = read({ speed: 10, tank: { liters: 0, isOpen: 1 } })
  t.strictSame(
    mistakes.map(({ path }) => path),
    ['name', 'speed', 'tank.liters', 'tank.isOpen']
  )
  t.strictSame(values, {
    name: '',
    speed: 3,
    every: 60_000,
    tank: { liters: 10, isOpen: false, names: false, trusted: false, pin: '' }
  })
  t.throws(() => reader.throwMistakes(), { code: 'MOE_ERR_OPTIONS', mistakes })
})

t.test('a name that does not exist is answered with the one that was meant, or with its place', async (t) => {
  const table: [options: object, path: string, fix: RegExp][] = [
    [{ names: true }, 'names', /^Did you mean "name"\?$/],
    [{ spede: 1 }, 'spede', /^Did you mean "speed"\?$/],
    [{ SPEED: 1 }, 'SPEED', /^Did you mean "speed"\?$/],
    [{ rpm: 5 }, 'rpm', /^Write speed: 5\.$/],
    [{ rpm: 50 }, 'rpm', /^Write speed: 3\.$/],
    [{ liters: 20 }, 'liters', /^Write tank: \{ liters: 20 \}\.$/],
    [{ liters: 200 }, 'liters', /^Write tank: \{ liters: 10 \}\.$/],
    [{ isOpen: true }, 'isOpen', /^Write tank: \{ liters: 10, isOpen: true \}\.$/],
    [{ isOpen: true, tank: { liters: 7 } }, 'isOpen', /^Write tank: \{ liters: 7, isOpen: true \}\.$/],
    [
      { isOpen: true, tank: { liters: 7, names: true } },
      'isOpen',
      /^Write tank: \{ liters: 7, names: true, isOpen: true \}\.$/
    ],
    [
      { isOpen: true, tank: { liters: 7, pin: '1234' } },
      'isOpen',
      /^Write tank: \{ isOpen: true \}, and keep liters and pin in it\.$/
    ],
    [
      { isOpen: true, tank: { pin: '1234' } },
      'isOpen',
      /^Write tank: \{ liters: 10, isOpen: true \}, and keep pin in it\.$/
    ],
    [{ tank: { speed: 5 }, speed: 3 }, 'tank.speed', /^It stands at the top level: leave it out here\.$/],
    [{ isOpen: true, tank: 'big' }, 'isOpen', /^Write tank: \{ liters: 10, isOpen: true \}\.$/],
    // What is guessed gets an example: the value may be a secret that nobody knows of.
    [{ leters: 20 }, 'leters', /^Write tank: \{ liters: 10 \}\.$/],
    [{ isOpem: true, tank: { liters: 7 } }, 'isOpem', /^Write tank: \{ liters: 7, isOpen: true \}\.$/],
    [{ pins: '1234' }, 'pins', /^Use one of: name, speed, every, tank\.$/],
    [{ letter: 20 }, 'letter', /^Use one of: name, speed, every, tank\.$/],
    [{ truste: 20 }, 'truste', /^Use one of: name, speed, every, tank\.$/],
    [{ pin: '1234' }, 'pin', /^Write tank: \{ liters: 10, pin: '0000' \}\.$/],
    [{ tank: { speed: 5 } }, 'tank.speed', /^Write speed: 5 at the top level\.$/],
    [{ tank: { rpm: 5 } }, 'tank.rpm', /^Write speed: 5 at the top level\.$/],
    [{ tank: { litres: 5 } }, 'tank.litres', /^Did you mean "liters"\?$/],
    [{ color: 'red' }, 'color', /^Paint it\.$/],
    [{ tank: { color: 'red' } }, 'tank.color', /^Paint it\.$/],
    [{ somethingElse: 1 }, 'somethingElse', /^Use one of: name, speed, every, tank\.$/],
    [{ tank: { somethingElse: 1 } }, 'tank.somethingElse', /^Use one of: liters, isOpen, names, trusted, pin\.$/],
    [{ constructor: 1 }, 'constructor', /^Use one of/],
    [{ 'x\u202e': 1 }, 'x\u202e', /^Use one of/]
  ]
  for (const [options, path, fix] of table) {
    const found = mistakesOf({ name: 'a', ...options }).filter(({ code }) => code === 'MOE_ERR_UNKNOWN_OPTION')
    t.match(found, [{ path, fix, value: path.split('.').at(-1) }], JSON.stringify(options))
  }
  const unknown = mistakesOf({ name: 'a', isOpen: true, tank: { own: [] } })
  const kept = { path: 'isOpen', fix: 'Write tank: { liters: 10, isOpen: true }, and keep own in it.' }
  t.match(
    unknown.find(({ path }) => path === 'isOpen'),
    kept
  )
  const [{ message }] = mistakesOf({ name: 'a', isOpen: true }) as [Problem]
  t.equal(message, 'There is no option "isOpen" here; isOpen belongs into tank.')
  t.match(mistakesOf({ name: 'a', tank: { every: 1 } }), [{ message: / belongs to the top level\.$/ }])
  t.match(mistakesOf({ name: 'a', 'x\u202e': 1 }), [{ message: 'There is no option "x\\u{202e}" here.' }])
})

t.test('what is not an object with options is one mistake, in one sentence', async (t) => {
  class Settings {
    color = 'red'
  }
  const table: [options: unknown, message: RegExp][] = [
    [undefined, /^There are no options\.$/],
    [null, /^There are no options\.$/],
    ['north', /^'north' was passed instead of options\.$/],
    [5, /^5 was passed/],
    [() => {}, /^a function was passed/],
    [[{ name: 'a' }], /^\[\{…\}\] was passed/],
    [console, /^console was passed/],
    [new Settings(), /^an object of the class Settings was passed/],
    [new IncomingMessage(new Socket()), /^an object of the class IncomingMessage was passed instead of options\.$/]
  ]
  for (const [options, message] of table) {
    t.match(mistakesOf(options), [{ path: '', message, fix: `Write { name: 'north' }.` }], `${message}`)
    t.equal(mistakesOf(options).length, 1)
  }
  for (const promise of [Promise.reject(new Error('own')), Promise.resolve({ name: 'a' })]) {
    const message = 'A promise was passed instead of options.'
    t.match(mistakesOf(promise), [{ path: '', message, fix: 'Await it before you pass it.' }])
  }
})

t.test('only own properties are options, and those of a class', async (t) => {
  class Base {
    get speed() {
      return 5
    }
  }
  class Settings extends Base {
    name = 'a'
  }
  t.match(read(new Settings()), { values: { name: 'a', speed: 5 }, mistakes: [] })
  const optional = { speed: PUMP.speed }
  t.equal(OptionReader.open(optional, new Settings(), '').read('speed'), 5, 'where no option is required')
  t.match(read(Object.assign(Object.create(null), { name: 'b' })), { values: { name: 'b' }, mistakes: [] })
  const all = Object.prototype as { speed?: number; liters?: number; color?: string }
  try {
    Object.assign(all, { speed: 7, liters: 99, color: 'red' })
    t.strictSame(read({ name: 'a', tank: {} }).values, {
      name: 'a',
      speed: 3,
      every: 60_000,
      tank: { liters: 10, isOpen: false, names: false, trusted: false, pin: '' }
    })
    t.equal(read(Object.assign(Object.create(null), { name: 'b' })).values.speed, 3)
  } finally {
    delete all.speed
    delete all.liters
    delete all.color
  }
})

t.test('a secret is in no mistake', async (t) => {
  for (const options of [
    { tank: { pin: 'sesame' } },
    { tank: { pni: 'sesame' } },
    { pin: 'sesame' },
    { tnak: { pin: 'sesame' } },
    { speed: { pin: 'sesame' } },
    { speed: () => 'sesame' }
  ]) {
    const mistakes = mistakesOf({ name: 'a', ...options })
    t.equal(mistakes.length, 1)
    t.notMatch(JSON.stringify(mistakes), 'sesame')
  }
  t.match(mistakesOf({ name: 'a', tank: { pin: 'sesame' } }), [{ path: 'tank.pin', value: '…' }])
})

t.test('the places of a table are those of its groups, too', async (t) => {
  t.strictSame(
    placesOf(PUMP).map(({ name, group }) => (group === undefined ? name : `${group.name}.${name}`)),
    ['name', 'speed', 'every', 'tank', 'tank.liters', 'tank.isOpen', 'tank.names', 'tank.trusted', 'tank.pin']
  )
})
