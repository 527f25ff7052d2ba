import { type Guard, loadGuard } from 'moengage-allowlist/core'
import { type FleetStore, type StoredReport, type StoredState, storeFleet } from 'moengage-allowlist/redis'
import { Random } from '../measure/random.js'
import { type Contender, timeRounds } from '../measure/rounds.js'
import { ratio, spread } from '../measure/statistics.js'
import { machineLine } from '../report/machine.js'
import { quartiles, table } from '../report/markdown.js'

const ROUNDS = 60
const LISTED = '52.6.248.125'
/** Reserved for nobody; the overrides let it in. */
const LET_IN = '9.9.9.9'

const ALONE = 'no fleet'
const CONNECTED = 'a replica'
const OWN_OVERRIDES = 'no fleet, three overrides in force'
const ENDING = 'no fleet, three overrides in force that end in a day'
const FLEET_OVERRIDES = 'a replica, three overrides of the fleet in force'
const BY_OVERRIDE = 'the same, a sender that an override lets in'

const OVERRIDES = [{ allow: [LET_IN] }, { deny: ['8.8.8.8'] }, { mode: 'tag' as const }]

/** A store in the memory of this process: what a network costs is no part of a verdict. */
class MemoryStore implements FleetStore {
  readonly name = 'memory'
  readonly #state: StoredState
  readonly #reports = new Map<string, StoredReport>()

  constructor(state: StoredState) {
    this.#state = state
  }

  async read() {
    return this.#state
  }

  async poll() {
    return this.#state.version
  }

  async write() {
    return false
  }

  async time() {
    return Date.now()
  }

  watch(): void {}

  async report(report: StoredReport): Promise<void> {
    this.#reports.set(report.id, report)
  }

  async *reports() {
    yield [...this.#reports.values()].map((report) => ({ ...report, age: 0 }))
  }

  async log() {
    return []
  }

  close(): void {}
}

function replica(overrides: readonly object[]): Promise<Guard> {
  const since = new Date().toISOString()
  const stored = overrides.map((override, i) => ({ id: `o${i}`, since, ...override }))
  const state = { version: 1, list: null, overrides: JSON.stringify({ overrides: stored }) }
  const fleet = storeFleet({ store: () => new MemoryStore(state), name: 'bench', poll: '1s', report: '1s' })
  return loadGuard({ dataCenters: 'DC-01', fleet })
}

function contender(name: string, guard: Guard, address: string): Contender<string> {
  const request = { peer: '', headers: { host: 'hooks.example.com' } }
  return {
    name,
    run(text) {
      request.peer = text
      return guard.judge(request).verified
    },
    // A new text, as the HTTP parser makes it.
    fresh: () => Buffer.from(address).toString('latin1')
  }
}

/** Measures what a fleet and overrides cost a verified request, and returns the section of the document. */
export async function fleetPart(): Promise<string> {
  const alone = await loadGuard({ dataCenters: 'DC-01' })
  const overridden = await loadGuard({ dataCenters: 'DC-01' })
  const ending = await loadGuard({ dataCenters: 'DC-01' })
  for (const override of OVERRIDES) {
    overridden.override(override)
    ending.override({ ...override, for: '24h' })
  }
  const connected = await replica([])
  const both = await replica(OVERRIDES)
  const contenders = [
    contender(ALONE, alone, LISTED),
    contender(CONNECTED, connected, LISTED),
    contender(OWN_OVERRIDES, overridden, LISTED),
    contender(ENDING, ending, LISTED),
    contender(FLEET_OVERRIDES, both, LISTED),
    contender(BY_OVERRIDE, both, LET_IN)
  ]
  for (const { name, run, fresh } of contenders) {
    if (run(fresh()) !== true) throw new Error(`${name}: the request is not verified.`)
  }
  const timings = await timeRounds(contenders, { rounds: ROUNDS, milliseconds: 2, random: new Random(1) })
  for (const guard of [alone, overridden, ending, connected, both]) guard.close()
  const rows = contenders.map(({ name }) => [
    name,
    quartiles(spread(timings[name]!)),
    name === ALONE ? '1' : quartiles(ratio(timings[name]!, timings[ALONE]!))
  ])
  return [
    '## Fleet and overrides',
    'A verified request, from the text of its address to the verdict. The replica polls its store and reports to it each second; the ' +
      'store is in memory, because no verdict waits for it. All are measured in turns within one run, so the ratios count. ' +
      'An override that ends costs a reading of the clock for each request: no timer decides about its end.',
    machineLine(),
    table(['', 'ns', '× no fleet'], rows)
  ].join('\n\n')
}
