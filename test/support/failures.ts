/** Errors whose properties throw when a framework or a logger reads them. */
export function unreadableErrors(): Error[] {
  const unreadable = (name: string) =>
    Object.defineProperty(new Error('own'), name, {
      get() {
        throw new Error(`${name} cannot be read`)
      }
    })
  const { proxy, revoke } = Proxy.revocable(new Error('own'), {})
  revoke()
  const symbol = Object.assign(new Error('own'), { message: Symbol('own') }) as unknown as Error
  return [unreadable('message'), unreadable('stack'), unreadable('statusCode'), symbol, proxy]
}

/** Looks like a promise, and has this `then`. */
export function thenable(then: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => unknown) {
  return Object.defineProperty({}, 'then', { value: then }) as PromiseLike<never>
}

/** Looks like a promise; its `then` is an async function, which fails. */
export function failingThenable(message: string): PromiseLike<never> {
  return thenable(async () => {
    throw new Error(message)
  })
}

/** Is rejected when the function that returned it has long ended. */
async function rejectedLater(): Promise<never> {
  await new Promise((resolve) => setImmediate(resolve))
  throw new Error('hidden')
}

/** Puts a value in the place that a path such as `rows.0.addresses` names. */
export function replaced<Whole extends object>(whole: Whole, path: string, value: unknown): Whole {
  const [name, ...rest] = path.split('.') as [string, ...string[]]
  const copy = (Array.isArray(whole) ? [...whole] : { ...whole }) as Record<string, unknown>
  copy[name] = rest.length === 0 ? value : replaced(copy[name] as object, rest.join('.'), value)
  return copy as Whole
}

/** Lets {@link HIDDEN_REJECTIONS} reject: one that nobody handles ends the test. */
export async function untilRejected(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** What a function may return that holds promises which are rejected, where nobody looks for a promise. */
export const HIDDEN_REJECTIONS: readonly [what: string, make: () => unknown][] = [
  ['a list of promises', () => [1, rejectedLater(), null, rejectedLater()]],
  ['a list of lists', () => [[[rejectedLater()]]]],
  ['a list of 1,500 promises', () => Array.from({ length: 1500 }, rejectedLater)],
  ['an object', () => ({ a: rejectedLater(), b: { c: rejectedLater() } })],
  ['an object without a class', () => Object.assign(Object.create(null), { a: rejectedLater() })],
  ['a list that holds itself', () => holdingItself([rejectedLater()])],
  ['a list of something that cannot be read', () => [unreadableErrors().at(-1), rejectedLater()]],
  ['a promise of a list', async () => [rejectedLater()]],
  ['a promise of a list of promises of lists', async () => [(async () => [rejectedLater()])()]],
  ['a promise that is rejected with a list', () => Promise.reject([rejectedLater()])],
  ['a promise that is rejected with a promise', () => Promise.reject(rejectedLater())],
  ['an error of several errors', () => new AggregateError([rejectedLater()])],
  ['an error with a cause', () => new Error('own', { cause: rejectedLater() })]
]

function holdingItself(list: unknown[]): unknown[] {
  list.unshift(list)
  return list
}
