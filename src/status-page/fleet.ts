import { html } from 'ghtml'
import type { FleetStatus, GuardFleet, Replica } from '../guard/fleet.js'
import { messageOf } from '../lib/text.js'
import { type Clock, MINUTE, SECOND } from '../lib/time.js'
import { type Cell, listOf, tableOf } from './document.js'
import { deedsOf, outcomesOf } from './outcomes.js'
import { listed, number, plural, timeAgo, timeTag } from './words.js'

/** How long a page waits for the store. */
const PATIENCE = SECOND
/** For how long pages share what was read: many readers cost the store no more than one. */
const FRESH = 2 * SECOND
/** For how long what was read is shown after the store stopped answering. */
const KEPT = MINUTE
/** Maximum number of replicas on the page. */
const MAX_REPLICAS = 50

/** What the replicas of a fleet reported. */
interface FleetReading {
  readonly status: FleetStatus
  /** When it was read, in milliseconds since 1970. */
  readonly at: number
}

/** What a page knows of the fleet. */
export interface FleetFacts {
  /** Null where it could not be read. */
  readonly reading: FleetReading | null
  /** Why it could not be read, or not anew; null where it was. */
  readonly problem: string | null
}

/** Reads the fleet for the pages of one guard. */
export class FleetReader {
  readonly #fleet: GuardFleet
  readonly #clock: Clock
  #last: FleetReading | undefined
  #reading: Promise<string | null> | undefined

  constructor(fleet: GuardFleet, clock: Clock) {
    this.#fleet = fleet
    this.#clock = clock
  }

  /** Resolves in bounded time, and never rejects. What takes longer is there for the next page. */
  async read(): Promise<FleetFacts> {
    const fresh = this.#notOlderThan(FRESH)
    if (fresh !== null) return { reading: fresh, problem: null }
    this.#reading ??= this.#begin().finally(() => {
      this.#reading = undefined
    })
    const problem = await this.#inTime(this.#reading)
    return { reading: this.#notOlderThan(KEPT), problem }
  }

  #notOlderThan(age: number): FleetReading | null {
    return this.#last !== undefined && this.#clock.now() - this.#last.at < age ? this.#last : null
  }

  /** Resolves with what is wrong; null where the fleet was read. */
  async #begin(): Promise<string | null> {
    try {
      const status = await this.#fleet.status()
      if (status.lastError !== null) return status.lastError
      this.#last = { status, at: this.#clock.now() }
      return null
    } catch (error) {
      return messageOf(error)
    }
  }

  #inTime(reading: Promise<string | null>): Promise<string | null> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(PATIENCE, () => resolve(`It did not answer within ${PATIENCE} ms.`))
      reading.then((problem) => {
        cancel()
        resolve(problem)
      })
    })
  }
}

/** How many stopped reporting without being closed. */
const countGone = (replicas: readonly Replica[]): number => replicas.filter(({ state }) => state === 'gone').length

/** What to do about the servers of the fleet. */
export function fleetActions({ reading }: FleetFacts): string[] {
  if (reading === null) return []
  const { replicas, live, current, version } = reading.status
  const gone = countGone(replicas)
  const findings = [
    ...(version !== null && live > current
      ? [`${plural(live - current, 'server')} not using what was published last`]
      : []),
    ...(gone > 0 ? [`${plural(gone, 'server')} that stopped reporting`] : [])
  ]
  return [
    ...(findings.length === 0 ? [] : [`Look at the servers of the fleet, below: ${listed(findings)}.`]),
    ...unprovenActions(reading.status)
  ]
}

/** Maximum number of servers that are named one by one. */
const NAMED = 3

/** Which servers report requests with the secret, where that is no proof. */
function unprovenActions({ replicas, self, trustsReports }: FleetStatus): string[] {
  if (trustsReports) return []
  const reporting = replicas.filter(({ id, state, withSecret }) => state === 'live' && id !== self && withSecret > 0)
  return reporting
    .slice(0, NAMED)
    .map(
      ({ host, pid, withSecret }) =>
        `${host}, process ${pid} reports ${plural(withSecret, 'request')} with your secret that it rejected. A report is no proof here: look at the log or the page of that server before you let anybody in.`
    )
}

/** The servers of the fleet, those that need attention first. */
export function fleetPart({ reading, problem }: FleetFacts, now: number): string {
  const why = problem === null ? '' : html`<p class="no">The store of the fleet could not be read: ${problem}</p>`
  if (reading === null) {
    return html`!${why}<p>The other servers are missing here; the whole page is about this server alone.</p>`
  }
  const { status, at } = reading
  const { replicas, warnings, verified } = status
  const shown = [...replicas].sort((a, b) => rank(a, status) - rank(b, status)).slice(0, MAX_REPLICAS)
  const rest = replicas.length - shown.length
  const header = [
    'Server',
    'State',
    'Last report',
    'Uses',
    'List',
    'Accepted',
    'Turned away',
    'Last accepted',
    'Last error'
  ]
  const rows = shown.map((replica) => replicaRow(replica, status, now))
  return html`!${why}!${problem === null ? '' : html`<p>This is what the servers reported until !${timeTag(at)}.</p>`}
!${listOf(warnings)}<p>!${summary(status)}</p>
!${rows.length === 0 ? '' : tableOf({ caption: `Servers of the fleet ${status.name}`, header, rows, isCards: true })}
!${rest > 0 ? html`<p>${number(rest)} more without a problem; the page shows ${MAX_REPLICAS}.</p>` : ''}
<p class="quiet">Within a day all of them together, those that have ended too, ${listed([`accepted ${plural(verified, 'request')}`, ...deedsOf(outcomesOf(replicas))])}.</p>`
}

function summary({ name, replicas, live, current, version }: FleetStatus): string {
  const gone = countGone(replicas)
  const kept = replicas.filter((replica) => replica.state === 'live' && replica.version !== null).length
  const uses =
    version === null
      ? `The store holds no list and no overrides${kept > 0 ? `, and ${plural(kept, 'server')} still ${kept === 1 ? 'uses' : 'use'} what was published before.` : ', so each uses its own list.'}`
      : live === current
        ? 'All of them use what was published last.'
        : `${number(live - current)} of them ${live - current === 1 ? 'does' : 'do'} not use what was published last: the last error says why.`
  const silent = `${plural(gone, 'server')} stopped reporting without a word: ended by force, or cut off from the store.`
  return html`${plural(live, 'server')} of the fleet “${name}” ${live === 1 ? 'reports' : 'report'}. ${live > 0 ? uses : ''}!${gone > 0 ? html` <strong class="no">${silent}</strong>` : ''}`
}

/** Gone servers stand before those that do not use what was published last; all others behind them. */
function rank({ state, version, lastError }: Replica, fleet: FleetStatus): number {
  if (state === 'gone') return 0
  if (state === 'closed') return 3
  return lastError !== null || version !== fleet.version ? 1 : 2
}

const STATE_WORDS = { live: 'running', gone: 'gone', closed: 'ended' }

function replicaRow(replica: Replica, { self, version: latest }: FleetStatus, now: number): Cell[] {
  const { id, host, pid, state, reported, version, revision, verified, lastVerified, lastError } = replica
  const uses = version === null ? 'its own list' : version === latest ? 'what was published last' : `version ${version}`
  return [
    `${host}, process ${pid}${id === self ? ' (this server)' : ''}`,
    { html: html`<span class="!${state === 'gone' ? 'no' : ''}">${STATE_WORDS[state]}</span>` },
    { html: timeAgo(reported, now) },
    uses,
    revision,
    number(verified),
    turnedAwayText(replica),
    lastVerified === null ? 'never' : { html: timeAgo(lastVerified, now) },
    lastError ?? 'none'
  ]
}

function turnedAwayText({ rejected, tagged, turnedAway }: Replica): string {
  if (tagged === null || turnedAway === null) return rejected === 0 ? '0' : `at most ${number(rejected)}`
  return tagged === 0 ? number(turnedAway) : `${number(turnedAway)}, and ${number(tagged)} let through`
}
