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
