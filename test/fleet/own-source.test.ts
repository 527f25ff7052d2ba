import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { type Guard, type GuardOptions, loadGuard, type Snapshot } from '../../src/core.js'
import { Directory } from '../../src/directory/directory.js'
import { type FleetStore, type StoredState, storeFleet } from '../../src/redis.js'
import { generateKeys, readPrivateKey } from '../../src/signing/keys.js'
import { signDocument } from '../../src/signing/signed-document.js'
import { page } from '../help-page/pages.js'
import { until } from '../support/http.js'
import { FOUR, snapshotOf, sound } from '../support/snapshots.js'
import { serveText } from '../support/text-server.js'

const NAME = 'webhooks'
const from = (peer: string) => ({ peer, headers: {} })

/** A store without a list, whose methods do nothing but what is given. */
const fleetOn = (methods: Partial<FleetStore> = {}, poll = 100, report: number | false = false) => {
  const store = {
    name: 'own',
    read: async () => null,
    poll: async () => null,
    watch() {},
    report: async () => {},
    async *reports() {},
    close() {},
    ...methods
  } as FleetStore
  return storeFleet({ store: () => store, name: NAME, poll, report })
}

const overrides = (version: number, ...list: object[]) => ({
  version,
  list: null,
  overrides: JSON.stringify({
    overrides: list.map((override) => ({ id: `o${version}`, since: '2026-11-20T00:00:00Z', ...override }))
  })
})

type Make = (options: Partial<GuardOptions>) => Promise<Guard>

/** Where a guard's own source is followed. */
const places = (t: Test): [place: string, make: Make][] => {
  const making = (further: () => Partial<GuardOptions>) => async (options: Partial<GuardOptions>) => {
    const guard = await loadGuard({ dataCenters: 'DC-01', ...further(), ...options })
    t.teardown(() => guard.close())
    return guard
  }
  const state = overrides(1, { allow: ['8.8.8.8'] })
  return [
    ['alone', making(() => ({}))],
    ['in a fleet without a state', making(() => ({ fleet: fleetOn() }))],
    [
      'in a fleet that shares overrides',
      making(() => ({ fleet: fleetOn({ read: async () => state, poll: async () => 1 }) }))
    ]
  ]
}

const reloaded = (guard: Guard) =>
  guard.reload().then(
    () => 'accepted',
    ({ message }: Error) => message
  )

/** What is seen of a guard, and what has to be seen, wherever it stands. */
const RAILS: [what: string, see: (t: Test, make: Make) => Promise<unknown>, expected: RegExp | readonly unknown[]][] = [
  [
    'a page that changes many cells at once',
    async (t, make) => {
      const pageOf = (last: string) =>
        page(
          ...['SMS', 'Push', 'Email'].flatMap((row) =>
            [1, 2, 3, 4, 5, 6].map((n) => `${row} | DC-0${n} | 9.9.${n}.1, 9.9.${n}.2${last}`)
          )
        )
      const server = await serveText(t, pageOf(''), '/page.mdx')
      const guard = await make({ source: { page: server.url } })
      server.text = pageOf(', 66.77.88.99')
      return [await reloaded(guard), guard.judge(from('66.77.88.99')).verified]
    },
    [
      /The list of "http:\/\/127.*page\.mdx" is suspicious:.*18 cells of the page changed at once, more than 12\./s,
      false
    ]
  ],
  [
    'what the importer of a page warns of',
    async (t, make) => {
      const server = await serveText(t, page('SMS | DC-01 | 9.9.9.1', 'Pigeons | DC-01 | 9.9.9.2'), '/page.mdx')
      const { warnings } = (await make({ source: { page: server.url } })).status()
      return warnings.map(({ code }) => code).join()
    },
    /MOE_WARN_PAGE/
  ],
  [
    'a list that is older than the one before it',
    async (_, make) => {
      let list = sound({ retrieved: '2026-11-20' })
      const guard = await make({ source: { name: 'ours', load: () => list } })
      list = sound({ retrieved: '2026-01-20' })
      return reloaded(guard)
    },
    /The list of "ours" is suspicious:.*It is of 2026-01-20, older than the list in use/s
  ],
  [
    'a list that has lost most of its addresses',
    async (_, make) => {
      let list = sound()
      const guard = await make({ source: { name: 'ours', load: () => list } })
      list = sound({}, FOUR.slice(0, 1))
      return reloaded(guard)
    },
    /3 of the 4 addresses of DC-01 in use are gone/
  ],
  [
    'a list without an address for a route',
    async (_, make) => {
      const list = snapshotOf({ 'DC-01 connector': FOUR })
      const guard = await make({ source: { name: 'ours', load: () => list } })
      try {
        guard.addRoute({ channels: 'streams' })
        return 'another list has taken its place'
      } catch (error) {
        return (error as Error).message
      }
    },
    /streams/
  ],
  [
    'a signed list that expires while it is in use',
    async (t, make) => {
      const { privatePem, publicLine } = generateKeys()
      const expires = '2026-12-01T00:00:00Z'
      const document = { kind: 'list', name: NAME, version: 1, expires, payload: sound() } as const
      const text = await signDocument(document, readPrivateKey(privatePem))
      mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-11-20') })
      t.teardown(() => mock.timers.reset())
      const verify = { publicKeys: publicLine, name: NAME }
      const guard = await make({ source: { name: 'ours', load: () => text, verify } })
      mock.timers.setTime(Date.parse('2026-12-02'))
      const { warnings } = guard.status()
      mock.timers.reset()
      return warnings.map(({ message }) => message).join()
    },
    /signed list "webhooks" has expired on 2026-12-01/
  ],
  [
    'a first list that is refused',
    (_, make) =>
      make({ source: { name: 'ours', load: () => sound({}, ['10.0.0.1']) } }).then(
        () => 'accepted',
        ({ message }: Error) => message
      ),
    /The list of "ours" is suspicious/
  ],
  [
    'a source that is notified of changes',
    async (_, make) => {
      let list = sound()
      let changed = () => {}
      const watch = (notify: () => void) => {
        changed = notify
      }
      const guard = await make({ source: { name: 'ours', load: () => list, watch } })
      // The load after the subscription.
      await new Promise((resolve) => setTimeout(resolve, 50))
      list = sound({ revision: 'pushed' })
      changed()
      await until(() => guard.status().revision === 'pushed')
      return guard.status().revision
    },
    /pushed/
  ],
  [
    'a subscription that fails',
    async (_, make) => {
      const watch = () => Promise.reject(new Error('No such channel.'))
      const guard = await make({ source: { name: 'ours', load: () => sound(), watch } })
      await until(() => guard.status().lastError !== null)
      return guard.status().lastError
    },
    /The source "ours" failed: No such channel\./
  ],
  [
    'a load that failed, though the next one is due in an hour',
    async (t, make) => {
      const answers = [rejecting, () => sound({ revision: 'r2' })]
      return retried(t, make, answers)
    },
    [/"ours" failed: away/, 'r2', null]
  ],
  [
    'a list that was refused, though the next one is due in an hour',
    async (t, make) => {
      const answers = [() => sound({}, ['10.0.0.1']), rejecting, () => sound({ revision: 'r2' })]
      return retried(t, make, answers)
    },
    [/10\.0\.0\.1/, 'r2', null]
  ],
  [
    'a load under way when the guard is closed',
    async (_, make) => {
      const loads: AbortSignal[] = []
      const load = (signal: AbortSignal) => (loads.push(signal) === 1 ? sound() : new Promise<Snapshot>(() => {}))
      const guard = await make({ source: { name: 'ours', load } })
      const loading = reloaded(guard)
      await until(() => loads.length === 2)
      await guard.close()
      await loading
      return `${loads[1]!.aborted}`
    },
    /true/
  ],
  [
    'a watched list that is older than the list in use',
    async (_, make) => {
      const list = sound({ retrieved: '2026-01-20' }, [...FOUR, '9.9.9.5'])
      const watch = { name: 'mirror', load: () => list }
      const guard = await make({ source: { name: 'ours', load: () => sound() }, watch })
      await until(() => guard.status().warnings.some(({ code }) => code === 'MOE_WARN_DRIFT'))
      return guard.status().warnings.find(({ code }) => code === 'MOE_WARN_DRIFT')!.fix
    },
    /^Look at the differences before you accept any of them\. It is of 2026-01-20, older/
  ]
]

/** Reloads a guard whose next loads have these outcomes, and waits for the last of them, a hundred times faster than the clock. */
async function retried(t: Test, make: Make, outcomes: (() => Snapshot)[]) {
  const begun = Date.now()
  const { setTimeout: sleep } = globalThis
  const fast = ((run: () => void, milliseconds: number, ...args: []) =>
    sleep(run, milliseconds / 100, ...args)) as never
  const captures = [
    t.capture(globalThis, 'setTimeout', fast),
    t.capture(Date, 'now', () => begun + performance.now() * 100)
  ]
  const load = () => (guard === undefined ? sound() : (outcomes.shift() ?? (() => sound({ revision: 'r2' })))())
  let guard: Guard | undefined
  guard = await make({ source: { name: 'ours', load, interval: '1h', timeout: '10m' } })
  const message = await reloaded(guard)
  for (let i = 0; i < 200 && guard.status().revision !== 'r2'; i++) await new Promise((resolve) => sleep(resolve, 10))
  for (const capture of captures) capture.restore()
  return [message, guard.status().revision, guard.status().lastError]
}

function rejecting(): never {
  throw new Error('away')
}

t.test(
  'a list of the own source has the guard rails, warnings, changes and retries of one without a fleet',
  async (t) => {
    for (const [what, see, expected] of RAILS) {
      for (const [place, make] of places(t)) t.match(await see(t, make), expected, `${what}: ${place}`)
    }
  }
)

/** A guard in a fleet on a store that a test changes, with a source of its own that is pushed. */
async function pushed(t: Test, store: Pick<FleetStore, 'read' | 'poll'>, waits = async () => {}) {
  let list = sound({ revision: 'own' })
  let loads = 0
  let notify = () => {}
  const source = {
    name: 'ours',
    timeout: '1s' as const,
    load: async () => {
      loads++
      await waits()
      return list
    },
    watch: (changed: () => void) => {
      notify = changed
    }
  }
  const guard = await loadGuard({ dataCenters: 'DC-01', source, fleet: fleetOn(store) })
  t.teardown(() => guard.close())
  return {
    guard,
    loads: () => loads,
    push(next: Snapshot) {
      list = next
      notify()
    }
  }
}

t.test('a store that fails does not keep the own source from being followed, and stays reported', async (t) => {
  const down = async () => {
    throw new Error('The store is away.')
  }
  const bad = { version: 1, list: '{}', overrides: null }
  const stores: [what: string, store: Parameters<typeof pushed>[1], error: RegExp][] = [
    ['a store that is away', { read: down, poll: down }, /"fleet webhooks" failed: The store is away\./],
    [
      'a state that is refused',
      { read: async () => bad, poll: async () => 1 },
      /"fleet webhooks" failed: .*provenance/s
    ]
  ]
  for (const [what, store, error] of stores) {
    const { guard, push } = await pushed(t, store)
    t.match(guard.status(), { revision: 'own', lastError: error }, what)
    push(sound({ revision: 'own2' }))
    await until(() => guard.status().revision === 'own2')
    t.match(guard.status(), { revision: 'own2', lastError: error }, what)
    push(sound({}, ['10.0.0.1']))
    await until(() => /10\.0\.0\.1/.test(guard.status().lastError ?? ''))
    t.match(guard.status(), { revision: 'own2' }, `${what}: a list that is refused`)
  }
})

t.test(
  'what the own source changed before its subscription stood is loaded, whatever the store does meanwhile',
  async (t) => {
    const table: [what: string, watch: FleetStore['watch']][] = [
      ['the store notifies of nothing', () => {}],
      ['the store notifies at once', (changed) => changed()],
      ['the store notifies a moment later', (changed) => void Promise.resolve().then(changed)]
    ]
    for (const [what, watch] of table) {
      let list = sound({ revision: 'own' })
      const source = {
        name: 'ours',
        load: async () => list,
        watch() {
          list = sound({ revision: 'changed' })
        }
      }
      const guard = await loadGuard({ dataCenters: 'DC-01', source, fleet: fleetOn({ watch }) })
      t.teardown(() => guard.close())
      await until(() => guard.status().revision === 'changed')
      t.match(guard.status(), { revision: 'changed', lastError: null }, what)
    }
  }
)

t.test('of two failures at a time, that of the store is reported', async (t) => {
  const down = async () => {
    throw new Error('The store is away.')
  }
  const { guard, push, loads } = await pushed(t, { read: down, poll: down })
  const before = loads()
  push(undefined as never)
  await until(() => loads() > before)
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.match(guard.status(), { revision: 'own', lastError: /The store is away/ })
})

t.test('while the store has a list, changes of the own source mean nothing', async (t) => {
  let state: StoredState = overrides(1)
  const { guard, push, loads } = await pushed(t, { read: async () => state, poll: async () => 1 })
  t.equal(guard.status().revision, 'own')
  const publish = (version: number, snapshot: Snapshot) => {
    state = { version, list: JSON.stringify(snapshot), overrides: null }
    return guard.reload()
  }
  t.match(await publish(2, sound({ revision: 'r2', retrieved: '2026-11-20' })), { revision: 'r2', lastError: null })
  t.match(
    await publish(3, sound({ revision: 'r3', retrieved: '2026-01-20' })),
    { revision: 'r3', lastError: null },
    'versions say what is newer, not dates'
  )
  const before = loads()
  push(sound({ revision: 'own2' }))
  await guard.reload()
  t.equal(loads(), before)
  t.match(guard.status(), { revision: 'r3', lastError: null })
})

t.test('a refused file is looked at again an hour later, though it has not changed', async (t) => {
  const folder = t.testdir({ 'list.json': JSON.stringify(sound()) })
  const file = join(folder, 'list.json')
  const guard = await loadGuard({
    dataCenters: 'DC-01',
    source: { file, interval: '100ms' },
    fleet: fleetOn()
  })
  t.teardown(() => guard.close())
  const now = Date.now()
  const tomorrow = new Date(now + 3 * 86_400_000).toISOString().slice(0, 10)
  writeFileSync(file, JSON.stringify(sound({ revision: 'early', retrieved: tomorrow })))
  await until(() => /ahead|to come|future/.test(guard.status().lastError ?? ''))
  t.match(guard.status(), { revision: 'r1', lastError: /./ })
  mock.timers.enable({ apis: ['Date'], now: now + 3 * 86_400_000 })
  t.teardown(() => mock.timers.reset())
  await until(() => guard.status().revision === 'early')
  t.match(guard.status(), { revision: 'early', lastError: null })
})

/** Lets a number of milliseconds pass, many times faster than the clock. */
function fastClock(t: Test, factor: number): (milliseconds: number) => Promise<void> {
  const begun = Date.now()
  const from = performance.now()
  const { setTimeout: sleep } = globalThis
  const fast = ((run: () => void, milliseconds: number, ...args: []) =>
    sleep(run, milliseconds / factor, ...args)) as never
  t.capture(globalThis, 'setTimeout', fast)
  t.capture(Date, 'now', () => begun + (performance.now() - from) * factor)
  return (milliseconds) => new Promise((resolve) => sleep(resolve, milliseconds / factor))
}

const MINUTE = 60_000

/** States that the guard refuses, though their form is right, or whose form is wrong. */
const WIDE = overrides(2, { allow: ['8.0.0.0/7'] })
const PRIVATE = { version: 2, list: JSON.stringify(sound({}, ['10.0.0.1'])), overrides: null }
const DAMAGED = { version: 2, list: '{}', overrides: null }

t.test('a state that is refused keeps the own source neither from its times nor from a push', async (t) => {
  const pass = fastClock(t, 100)
  const table: [what: string, states: (StoredState | null)[], error: RegExp][] = [
    ['a list with a private address', [PRIVATE], /10\.0\.0\.1/],
    ['a list that is damaged', [DAMAGED], /provenance/],
    ['an override that is too wide', [WIDE], /8\.0\.0\.0\/7/],
    ['a list that comes later', [null, PRIVATE], /10\.0\.0\.1/],
    ['an override that comes later', [overrides(1, { allow: ['1.1.1.1'] }), WIDE], /8\.0\.0\.0\/7/]
  ]
  await Promise.all(
    table.map(async ([what, states, error]) => {
      let [state = null] = states
      let loads = 0
      let reads = 0
      let list = sound({ revision: 'own' })
      let push = () => {}
      const source = {
        name: 'ours',
        interval: '1m' as const,
        load: () => {
          loads++
          return list
        },
        watch: (changed: () => void) => {
          push = changed
        }
      }
      const read = async () => {
        reads++
        return state
      }
      const fleet = fleetOn({ read, poll: async () => state?.version ?? null }, 5000)
      const errors: string[] = []
      const onReload = (failure: Error | null) => failure && errors.push(failure.message)
      const guard = await loadGuard({ dataCenters: 'DC-01', source, fleet, onReload })
      t.teardown(() => guard.close())
      state = states.at(-1)!
      await pass(10_000)
      t.match(guard.status(), { revision: 'own', lastError: error }, what)
      list = sound({ revision: 'own2' }, [...FOUR.slice(1), '9.9.9.5'])
      const before = [loads, reads] as const
      await pass(5 * MINUTE)
      t.match(guard.status(), { revision: 'own2', lastError: error }, `${what}: the own list is followed`)
      t.ok(loads - before[0] >= 4 && loads - before[0] <= 6, `${what}: at its own interval`)
      t.ok(reads - before[1] <= 6, `${what}: the state is not read at each poll`)
      list = sound({ revision: 'pushed' }, [...FOUR.slice(1), '9.9.9.5'])
      push()
      await pass(5000)
      t.match(guard.status(), { revision: 'pushed', lastError: error }, `${what}: a push is not lost`)
      t.equal(errors.length, 1, `${what}: it is reported once`)
    })
  )
})

t.test('what was refused is offered again when an hour has passed, or when it changes', async (t) => {
  const pass = fastClock(t, 5000)
  let state = PRIVATE
  let reads = 0
  const read = async () => {
    reads++
    return state
  }
  const fleet = fleetOn({ read, poll: async () => state.version }, MINUTE)
  const guard = await loadGuard({ dataCenters: 'DC-01', source: { name: 'ours', load: () => sound() }, fleet })
  t.teardown(() => guard.close())
  const before = reads
  await pass(30 * MINUTE)
  t.equal(reads, before)
  await pass(40 * MINUTE)
  t.equal(reads, before + 1)
  await pass(65 * MINUTE)
  t.equal(reads, before + 2)
  state = { version: 3, list: JSON.stringify(sound({ revision: 'right' })), overrides: null }
  await pass(5 * MINUTE)
  t.match(guard.status(), { revision: 'right', lastError: null })
})

t.test('an answer of the store that comes after its time changes nothing', async (t) => {
  const late: (() => void)[] = []
  let read: () => Promise<StoredState | null> = async () => overrides(1, { deny: ['9.9.9.1'] })
  let version = 1
  const { guard, push } = await pushed(t, { read: () => read(), poll: async () => version }, async () => {
    // It comes while the own list, which is long, is compiled.
    for (const answer of late.splice(0)) setTimeout(answer, 5)
  })
  read = () => new Promise((resolve) => late.push(() => resolve(overrides(2, { deny: ['9.9.9.2'] }))))
  await t.rejects(guard.reload(), /did not answer within/)
  read = async () => {
    throw new Error('away')
  }
  const many = Array.from({ length: 15_000 }, (_, i) => `23.${i >> 8}.${i & 255}.1`)
  push(new Directory(sound({ revision: 'own2' }, [...FOUR, ...many])) as never)
  await until(() => guard.status().revision === 'own2')
  const denied = () => guard.status().overrides.flatMap(({ deny }) => deny)
  t.strictSame(denied(), ['9.9.9.1/32'])
  version = 2
  read = async () => overrides(2, { deny: ['9.9.9.2'] })
  await until(() => denied()[0] === '9.9.9.2/32')
  t.strictSame(denied(), ['9.9.9.2/32'])
})

t.test('a poll that fails is reported, and leads to no load of the own source before its time', async (t) => {
  let poll = async (): Promise<number | null> => {
    throw new Error('No permission.')
  }
  let reads = 0
  const read = async () => {
    reads++
    return null
  }
  const { guard, loads } = await pushed(t, { read, poll: () => poll() })
  await until(() => reads > 4)
  t.match(guard.status().lastError, /"fleet webhooks" failed: No permission\./)
  t.ok(loads() <= 2, 'the first list, and the load after the subscription')
  poll = async () => null
  await until(() => guard.status().lastError === null)
  t.equal(guard.status().lastError, null)
})

t.test('reload() loads the own source, whatever the store has', async (t) => {
  const down = async () => {
    throw new Error('The store is away.')
  }
  let list: Snapshot | undefined = sound({ revision: 'own' })
  let read: () => Promise<StoredState | null> = async () => overrides(1, { allow: ['1.1.1.1'] })
  const source = { name: 'ours', load: () => list! }
  const fleet = fleetOn({ read: () => read(), poll: async () => (await read())!.version }, 1000)
  const guard = await loadGuard({ dataCenters: 'DC-01', source, fleet })
  t.teardown(() => guard.close())
  const allowed = () => guard.status().overrides.flatMap(({ allow }) => allow)
  list = sound({ revision: 'own2' })
  read = async () => overrides(2, { allow: ['1.0.0.2'] })
  t.match(await guard.reload(), { revision: 'own2', lastError: null })
  t.strictSame(allowed(), ['1.0.0.2/32'], 'together with new overrides')
  list = undefined
  read = async () => overrides(3, { allow: ['1.0.0.3'] })
  t.match(await guard.reload(), { revision: 'own2', lastError: /"ours" failed/ })
  t.strictSame(allowed(), ['1.0.0.3/32'], 'new overrides are in force though it fails')
  list = sound({ revision: 'bad' }, ['10.0.0.1'])
  read = async () => overrides(4, { allow: ['1.0.0.4'] })
  await t.rejects(guard.reload(), /10\.0\.0\.1/)
  await until(() => allowed()[0] === '1.0.0.4/32')
  t.match(guard.status(), { revision: 'own2' }, 'at the next poll, though its list is refused')
  list = sound({ revision: 'own3' })
  read = down
  t.match(await guard.reload(), { revision: 'own3', lastError: /The store is away/ }, 'while the store is away')
})

t.test('while the store has a list, a failure of the own subscription means nothing', async (t) => {
  const state = { version: 1, list: JSON.stringify(sound({ revision: 'stored' })), overrides: null }
  let reads = 0
  let calls = 0
  const watch = async () => {
    calls++
    throw new Error('No such channel.')
  }
  const read = async () => {
    reads++
    return state
  }
  const pass = fastClock(t, 100)
  const errors: unknown[] = []
  const guard = await loadGuard({
    dataCenters: 'DC-01',
    source: { name: 'ours', load: () => sound(), watch },
    fleet: fleetOn({ read, poll: async () => 1 }, 5000),
    onReload: (error) => errors.push(error)
  })
  t.teardown(() => guard.close())
  await pass(MINUTE)
  t.ok(calls > 1, 'it is tried again')
  t.match(guard.status(), { revision: 'stored', lastError: null })
  t.match(guard.metrics(), { sourceFailing: false, reloads: { failed: 0 } })
  t.strictSame([reads, errors], [1, []])
})

t.test('an own source that hangs is waited for once at the start', async (t) => {
  let loads = 0
  const load = () => {
    loads++
    return new Promise<Snapshot>(() => {})
  }
  const state = overrides(1, { allow: ['8.8.8.8'] })
  const fleet = fleetOn({ read: async () => state, poll: async () => 1 })
  await t.rejects(
    loadGuard({ dataCenters: 'DC-01', source: { name: 'ours', load, timeout: '1s' }, fleet }),
    /"ours" failed: It did not answer within 1000 ms/
  )
  t.equal(loads, 1)
})

t.test('a failure that lasts is reported once, while the other of store and own source gives lists', async (t) => {
  const pass = fastClock(t, 100)
  let isOwnDown = false
  const load = () => (isOwnDown ? rejecting() : sound())
  const start = async (store: Partial<FleetStore>) => {
    const reports: [error: string | undefined, lastError: string | null][] = []
    const guard = await loadGuard({
      dataCenters: 'DC-01',
      source: { name: 'ours', load, interval: '1m' },
      fleet: fleetOn(store, 5000),
      onReload: (error, { lastError }) => reports.push([error?.message, lastError])
    })
    t.teardown(() => guard.close())
    await pass(1000)
    return { guard, reports }
  }
  const away = await start({ read: async () => rejecting(), poll: async () => rejecting() })
  await pass(5 * MINUTE)
  t.equal(away.reports.filter(([error]) => error !== undefined).length, 1)
  t.ok(away.reports.length > 3, 'each list of the own source is reported')
  for (const [, lastError] of away.reports) t.match(lastError, /"fleet webhooks" failed: away/)
  t.match(away.guard.metrics(), { reloads: { succeeded: away.reports.length - 1 } })
  await away.guard.close()

  let version = 1
  const read = async () => overrides(version, { allow: [`1.0.0.${version}`] })
  const { guard, reports } = await start({ read, poll: async () => version })
  isOwnDown = true
  await pass(2 * MINUTE)
  t.match(guard.status().lastError, /"ours" failed: away/)
  reports.splice(0)
  for (let i = 0; i < 5; i++) {
    version++
    await pass(10_000)
  }
  t.equal(guard.status().overrides[0]?.allow[0], '1.0.0.6/32')
  t.strictSame(
    reports.map(([error]) => error),
    Array(5).fill(undefined),
    'overrides that come while the own source is down'
  )
  for (const [, lastError] of reports) t.match(lastError, /"ours" failed: away/)
})

t.test('a store whose report never ends is closed with the guard', async (t) => {
  let isClosed = false
  const store = {
    report: () => new Promise<void>(() => {}),
    close() {
      isClosed = true
    }
  }
  const guard = await loadGuard({
    dataCenters: 'DC-01',
    source: { name: 'ours', load: () => sound() },
    fleet: fleetOn(store, 100, 1000)
  })
  await guard.close()
  t.equal(isClosed, true)
})
