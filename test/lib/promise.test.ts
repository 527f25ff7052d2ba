import { Readable } from 'node:stream'
import t from 'tap'
import { answerOf, callBack, drop, fixFor, isUnwantedPromise, resultOf, settled } from '../../src/lib/promise.js'
import { failingThenable, HIDDEN_REJECTIONS, thenable, untilRejected } from '../support/failures.js'

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

t.test('promises inside of what a function throws or returns leave no rejection behind', async (t) => {
  const unreadable = {
    // biome-ignore lint/suspicious/noThenProperty: it is the user's
    get then() {
      throw new Error('no')
    }
  }
  const table: typeof HIDDEN_REJECTIONS = [
    ...HIDDEN_REJECTIONS,
    ['a promise', () => Promise.reject(new Error('own'))],
    ['what cannot be read', () => unreadable],
    ['an error', () => new Error('own')]
  ]
  for (const [what, make] of table) {
    let failures = 0
    callBack(
      () => throwingOf(make()),
      () => failures++
    )
    await untilRejected()
    t.equal(failures, 1, `${what} that is thrown`)
    await t.rejects(async () => {
      // What is thrown may be like a promise itself.
      await resultOf(() => throwingOf(make())).catch(() => Promise.reject(new Error('failed')))
    }, what)
    await answerOf(make).catch(() => {})
    drop(make())
    await untilRejected()
  }
})

function throwingOf(value: unknown): never {
  throw value
}

t.test('of a callback, all promises inside of the result fail as one, as soon as the first is rejected', async (t) => {
  for (const [what, make] of HIDDEN_REJECTIONS) {
    const failures: unknown[] = []
    let isKept = false
    callBack(
      () => [make(), new Promise(() => {})],
      (error) => failures.push(error),
      () => {
        isKept = true
      }
    )
    await untilRejected()
    t.equal(failures.length, 1, what)
    t.ok(isKept, what)
  }
  const values: unknown[] = [undefined, null, 7, 'text', [1, [2]], { a: 1 }, new Set([1]), new Date(), () => {}]
  for (const value of [...values, Promise.resolve([Promise.resolve(1)])]) {
    callBack(
      () => value,
      () => t.fail('nothing is rejected')
    )
  }
  await untilRejected()
})

t.test('a server waits for the end of all promises inside of the result of a callback', async (t) => {
  const order: string[] = []
  const later = async () => void (await untilRejected().then(() => order.push('last')))
  let kept: PromiseLike<unknown> | undefined
  callBack(
    () => [Promise.reject(new Error('own')), (async () => [later()])()],
    () => order.push('failed'),
    (promise) => {
      kept = promise
    }
  )
  await kept
  t.strictSame(order, ['failed', 'last'])
})

t.test(
  'promises of a collection of the user that is returned again and again get handlers once, or none',
  async (t) => {
    const under = [Promise.resolve(1), Promise.reject(new Error('own'))]
    const collections = [under, new Set(under), new Map(under.entries())]
    let handlers = 0
    for (const promise of under) {
      promise.catch(() => {})
      const then = promise.then.bind(promise)
      // biome-ignore lint/suspicious/noThenProperty: counts
      promise.then = ((...args: Parameters<typeof then>) => {
        handlers++
        return then(...args)
      }) as typeof promise.then
    }
    let failures = 0
    for (let i = 0; i < 100; i++) {
      for (const collection of collections) {
        callBack(
          () => collection,
          () => failures++
        )
      }
    }
    await untilRejected()
    t.strictSame([handlers, failures], [2, 1])
  }
)

t.test('something with a then and no catch is refused for what it is, and its then is not called', async (t) => {
  const app = {
    // biome-ignore lint/suspicious/noThenProperty: a Fastify instance has one, which boots it
    then: () => t.fail('called')
  }
  t.equal(fixFor(app, 'Write 1.'), 'Write 1.')
  t.equal(fixFor([app], 'Write 1.'), 'Write 1.')
  t.equal(fixFor(Promise.resolve(1), 'Write 1.'), 'Await it before you pass it.')
  t.notOk(isUnwantedPromise(app))
  await untilRejected()
})

t.test('what is searched for promises is neither called nor searched without end', async (t) => {
  const untouched = {
    // biome-ignore lint/correctness/useYield: nobody may call it
    *[Symbol.iterator]() {
      t.fail('iterated')
    }
  }
  const fail = () => t.fail('called')
  class Own {
    readonly inner = untouched
    get other() {
      return fail()
    }
  }
  drop([untouched[Symbol.iterator](), new Own(), fail, Readable.from(untouched)])
  let asked = 0
  const endless = (): PromiseLike<never> =>
    Object.assign(
      thenable((resolve) => {
        asked++
        resolve([endless(), endless()])
      }),
      { catch() {} }
    )
  drop(endless())
  let rejected = 0
  const withItself: PromiseLike<never> = thenable((_, reject) => {
    rejected++
    reject(withItself)
  })
  drop(withItself)
  drop(new Array(2 ** 32 - 1))
  await untilRejected()
  t.ok(asked > 5000 && asked < 20_000, `${asked}`)
  t.ok(rejected > 5000 && rejected < 20_000, `${rejected}`)
})
