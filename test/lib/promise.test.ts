import t from 'tap'
import { callBack, resultOf, settled } from '../../src/lib/promise.js'
import { failingThenable, thenable } from '../support/failures.js'

/** An error that nobody handles ends the test. */
const untilUnhandled = () => new Promise((resolve) => setImmediate(resolve))

/** Is fulfilled with a further one, which is as well. */
const endless = (): PromiseLike<never> => thenable((resolve) => resolve(endless()))

t.test('what is like a promise comes to a value or an error, and leaves no rejection behind', async (t) => {
  const later = (run: () => void) => void setImmediate(run)
  const table: [what: string, make: () => PromiseLike<unknown>, expected: unknown][] = [
    ['a promise', () => Promise.resolve(7), 7],
    ['a promise that rejects', () => Promise.reject(new Error('own')), 'own'],
    ['a then that calls back later', () => thenable((resolve) => later(() => resolve(7))), 7],
    ['a then that throws', () => thenable(throwing), 'own'],
    ['a then that rejects', () => failingThenable('own'), 'own'],
    [
      'a then that calls back and rejects',
      () =>
        thenable(async (resolve) => {
          resolve(7)
          throwing()
        }),
      7
    ],
    ['a further one', () => thenable((resolve) => resolve(thenable((resolve) => later(() => resolve(7))))), 7],
    ['a further one that rejects', () => thenable((resolve) => resolve(failingThenable('own'))), 'own'],
    [
      'a further one that rejects, later',
      () => thenable((resolve) => later(() => resolve(failingThenable('own')))),
      'own'
    ],
    ['further ones without end', endless, 'A promise was fulfilled with a further one 100 times in a row.']
  ]
  for (const [what, make, expected] of table) {
    t.equal(await settled(make()).catch((error: Error) => error.message), expected, what)
    await untilUnhandled()
  }
})

function throwing(): never {
  throw new Error('own')
}

t.test('a then that returns what is like a promise is not asked for more', async (t) => {
  let asked = 0
  const inner = thenable(async () => {
    asked++
    throwing()
  })
  void settled(thenable(() => inner))
  await untilUnhandled()
  t.equal(asked, 0)
})

t.test('a function of the user returns, throws and rejects in one way', async (t) => {
  const table: [what: string, run: () => unknown, expected: unknown][] = [
    ['a value', () => 7, 7],
    ['a promise', async () => 7, 7],
    ['nothing', () => undefined, undefined],
    ['an error', throwing, 'own'],
    ['a rejection', async () => throwing(), 'own'],
    ['what is like a promise', () => failingThenable('own'), 'own']
  ]
  for (const [what, run, expected] of table) {
    t.equal(await resultOf(run).catch((error: Error) => error.message), expected, what)
  }
})

t.test('promises that a function throws or returns in a list or an object leave no rejection behind', async (t) => {
  const rejected = () => Promise.reject(new Error('dropped'))
  const unreadable = {
    // biome-ignore lint/suspicious/noThenProperty: it is the user's
    get then() {
      throw new Error('no')
    }
  }
  const table: [what: string, run: () => unknown][] = [
    ['one that is thrown', () => throwingOf(rejected())],
    ['a list that is thrown', () => throwingOf([1, rejected(), rejected()])],
    ['an object that is thrown', () => throwingOf({ a: rejected(), b: null })],
    ['one that cannot be read', () => throwingOf(unreadable)],
    ['an error', () => throwingOf(new Error('own'))]
  ]
  for (const [what, run] of table) {
    const failures: unknown[] = []
    callBack(run, (error) => failures.push(error))
    t.equal(failures.length, 1, what)
    await t.rejects(async () => {
      // What is thrown may be like a promise itself.
      await resultOf(run).catch(() => Promise.reject(new Error('failed')))
    }, what)
  }
  callBack(
    () => [rejected()],
    () => t.fail('list')
  )
  callBack(
    () => ({ sent: rejected() }),
    () => t.fail('object')
  )
  await untilUnhandled()
})

function throwingOf(value: unknown): never {
  throw value
}
