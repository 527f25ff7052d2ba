import { html } from 'ghtml'
import { builtin } from '../lib/builtin.js'
import { CLOCK, type Clock } from '../lib/time.js'
import { isUnresolved, REASONS } from '../verdict/verdict.js'
import { answersPart, lastVerifiedRows, stateOf, statePart } from './answers.js'
import { chartPart } from './chart.js'
import { documentOf, PAGE_POLICY, sectionOf, tableOf } from './document.js'
import { explainPart } from './explain.js'
import { dataCentersOf, type Facts, factsOf, isOfFleet, MAX_SENDERS, type ShownGuard, totalsOf } from './facts.js'
import { FleetReader, fleetPart } from './fleet.js'
import { listPart, overridesPart } from './list.js'
import { SCRIPT } from './live.js'
import { matrixPart } from './matrix.js'
import { rulesPart } from './rules.js'
import { Samples } from './samples.js'
import { sendersTable } from './senders.js'
import { number, plural, timeTag } from './words.js'

/** An answer to a request for the page, for any server. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const SCRIPT_VERSION = builtin('node:crypto').createHash('sha256').update(SCRIPT).digest('hex').slice(0, 16)

const SECURITY = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin'
}

/** The status page of one guard. It counts from when it is made, and until it is closed. */
export class StatusPage {
  readonly #guard: ShownGuard
  readonly #clock: Clock
  readonly #samples: Samples
  readonly #fleet: FleetReader | undefined

  constructor(guard: ShownGuard, clock: Clock = CLOCK) {
    this.#guard = guard
    this.#clock = clock
    this.#fleet = guard.fleet && new FleetReader(guard.fleet, clock)
    this.#samples = new Samples(() => this.#totals(), clock)
  }

  #totals() {
    try {
      return totalsOf(this.#guard.metrics())
    } catch {
      // The guard has no list yet.
      return undefined
    }
  }

  /**
   * Answers a request; the page and its script have one address, and differ by the query. The page of a replica waits for the store of
   * its fleet, in bounded time.
   */
  async respond(query: URLSearchParams): Promise<Reply> {
    if (query.has('script')) {
      const headers = { 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'private, max-age=86400' }
      return { status: 200, headers: { ...SECURITY, ...headers }, body: SCRIPT }
    }
    const headers = {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': PAGE_POLICY
    }
    const [status, body] = await this.#page(query)
    return { status, headers: { ...SECURITY, ...headers }, body }
  }

  async #page(query: URLSearchParams): Promise<[status: number, body: string]> {
    const fleet = this.#fleet === undefined ? null : await this.#fleet.read()
    const now = this.#clock.now()
    let facts: Facts
    try {
      facts = factsOf(this.#guard, this.#samples, now, fleet)
    } catch {
      return [503, pageOf(now, NOT_READY)]
    }
    const body = [
      liveBlock('state', statePart(stateOf(facts)), 'status'),
      liveBlock('answers', answersPart(facts)),
      ...sectionsOf(facts).map((section) => sectionOf({ ...section, isLive: true })),
      sectionOf({ id: 'explain', title: 'Explain this address', body: explainPart(this.#guard, query.get('ip')) }),
      sectionOf({
        id: 'rules',
        title: 'Copy as firewall rules',
        body: rulesPart(facts.directory, facts.metrics.verdicts, {
          format: query.get('format'),
          accepts: query.get('accepts')
        })
      })
    ]
    return [200, pageOf(now, body.join(''), isOfFleet(facts) ? COUNTED.fleet : COUNTED.alone)]
  }

  /** Stops counting. */
  close(): void {
    this.#samples.close()
  }
}

const NOT_READY = liveBlock(
  'state',
  statePart({
    tone: 'bad',
    sentence: 'The list of MoEngage’s addresses is not loaded yet.',
    actions: [
      'Requests wait, or are answered with 503. Look in the server’s log: it says why the list cannot be loaded.'
    ]
  }),
  'status'
)

function sectionsOf(facts: Facts) {
  const { minutes, hours, since, now, fleet } = facts
  const verified = lastVerifiedRows(facts)
  const header = ['Route', 'Last request', 'Data center', 'Accepted as']
  const isFleet = isOfFleet(facts)
  return [
    {
      id: 'routes',
      title: 'When MoEngage last got through',
      body:
        verified.length === 0
          ? html`<p>No request has been accepted ${isFleet ? 'by any server of the fleet' : 'since the server started'}.</p>`
          : tableOf({ caption: 'Last accepted request by route', header, rows: verified, isCards: true })
    },
    { id: 'matrix', title: 'Which channels call', body: matrixPart(facts) },
    { id: 'senders', title: 'Who was rejected', body: sendersPart(facts) },
    {
      id: 'time',
      title: 'Requests over time',
      body: html`<p class="quiet">Counted ${isFleet ? 'by this server ' : ''}since !${timeTag(since)}.</p>
!${chartPart({ title: 'By minute', bars: minutes, room: 60, ends: ['an hour ago', 'now'], hasVerified: true })}
!${chartPart({ title: 'By hour', bars: hours, room: 48, ends: ['two days ago', 'now'], hasVerified: true })}`
    },
    { id: 'list', title: 'The list of addresses', body: listPart(facts) },
    { id: 'overrides', title: 'Overrides', body: overridesPart(facts) },
    ...(fleet === null ? [] : [{ id: 'fleet', title: 'The servers of the fleet', body: fleetPart(fleet, now) }])
  ]
}

/** Rejected senders: those of all servers of a fleet first. */
function sendersPart(facts: Facts): string {
  const { status, metrics, senders, turnedAway, unproven, now, counts } = facts
  const isFleet = isOfFleet(facts)
  if (turnedAway.length === 0) {
    const unknown = REASONS.filter(isUnresolved).reduce((sum, reason) => sum + counts.rejected[reason], 0)
    if (unknown > 0) {
      return html`<p>${plural(unknown, 'request')} had no client IP that can be relied on, so no sender is known of them: the hint in the server’s log says why.</p>`
    }
    return html`<p>${isFleet ? 'Nobody, by any server of the fleet.' : 'Nobody since the server started.'}</p>`
  }
  const view = {
    dataCenters: dataCentersOf(metrics),
    hasVerified: counts.hasVerified,
    settled: facts.settled,
    unproven,
    now
  }
  const about = 'Where a route is in mode “tag”, its requests were let through and would be turned away.'
  const rest = senders.length < MAX_SENDERS ? 0 : status.senders - senders.length
  const more =
    rest > 0
      ? html`<p>The page shows ${MAX_SENDERS} of ${number(status.senders)} addresses: those with your secret, and those with the most requests.</p>`
      : ''
  const own = html`!${sendersTable({ ...view, senders })}
!${more}`
  if (!isFleet) {
    return html`<p class="quiet">${about}</p>
!${own}`
  }
  return html`<p class="quiet">By all servers of the fleet, those that ended within a day too; each of them reports the senders with the most requests. ${about}</p>
!${sendersTable({ ...view, senders: turnedAway })}
!${senders.length === 0 ? '' : html`<details><summary>By this server alone</summary>!${own}</details>`}`
}

/** A part of the page that changes while it is open; `content` is HTML. */
function liveBlock(id: string, content: string, role?: 'status'): string {
  return html`<div id="${id}" data-live !${role === undefined ? '' : html`role="${role}"`}>!${content}</div>
`
}

const THEMES = html`<fieldset class="theme"><legend>Theme</legend>
<label><input type="radio" name="theme" id="theme-auto" checked> as the system</label>
<label><input type="radio" name="theme" id="theme-light"> light</label>
<label><input type="radio" name="theme" id="theme-dark"> dark</label>
</fieldset>`

const COUNTED = {
  alone: 'Numbers count since the server started, in this process alone.',
  fleet: 'Numbers count since the servers started. The table of channels and the charts are of this server alone.'
}

/** The page around its parts; `parts` is HTML. */
function pageOf(now: number, parts: string, counted = COUNTED.alone): string {
  return documentOf({
    title: 'MoEngage webhooks',
    head: html`<script type="module" src="?script=${SCRIPT_VERSION}"></script>
`,
    body: html`<a class="skip" href="#main">Skip to the answers</a>
<header class="top"><h1>MoEngage webhooks</h1>!${THEMES}</header>
<main id="main">
!${parts}</main>
<footer><p>As of <span id="as-of" data-live>!${timeTag(now)}</span>. <span id="updated">Reload the page to update it</span>. ${counted}</p></footer>`
  })
}
