import { html } from 'ghtml'
import type { Channel } from '../directory/names.js'
import { problemLine } from '../errors.js'
import type { Finding } from '../evidence/findings.js'
import type { LastVerified } from '../guard/counters.js'
import { DAY, HOUR } from '../lib/time.js'
import { GENUINE_WORDS, type Genuine, genuine, knownOf } from '../report/conclusion.js'
import { onlyOpen, openOf } from '../senders/open.js'
import type { Sender } from '../senders/senders.js'
import { isUnresolved, REASONS, totalOf } from '../verdict/verdict.js'
import { listOf } from './document.js'
import { type Facts, isOfFleet } from './facts.js'
import { fleetActions } from './fleet.js'
import { answerOf, deedsOf, detailsOf, type Outcomes, outcomeWords } from './outcomes.js'
import type { Proof } from './proofs.js'
import { publishing } from './published.js'
import { ago, channelNames, channelsOrCount, listed, number, plural, serversText, timeAgo, timeTag } from './words.js'

/** How all is, in one sentence. */
export interface State {
  readonly tone: 'good' | 'bad' | 'wait'
  readonly sentence: string
  /** What to do, the most urgent first. */
  readonly actions: readonly string[]
  /** What to paste or to send, if there is something. */
  readonly evidence?: readonly Finding[]
}

/** The calls from addresses of MoEngage's list. */
const fromMoEngage = ({ calls }: Facts): LastVerified[] => calls.filter(({ dataCenter }) => dataCenter !== null)

/** The last call that your own `allow` or an override accepted: of a sender of yours, or of MoEngage from an address that its list lacks. */
const byAllow = ({ calls }: Facts): LastVerified | undefined => calls.find(({ dataCenter }) => dataCenter === null)

const warns = ({ status }: Facts, code: string): boolean => status.warnings.some((warning) => warning.code === code)

/** From then on a page does not say that MoEngage gets through: a campaign that is sent weekly has called again. */
const LONG_AGO = 8 * DAY

/**
 * Whether what was turned away was genuine.
 *
 * @param findings what the secret proves
 */
function genuineOf({ counts: { hasVerified, rejected }, ...facts }: Facts, findings: readonly Proof[]): Genuine {
  return genuine({
    span: Number.NaN,
    hasVerified,
    aboutVerified: '',
    rejected,
    ...knownOf(facts.turnedAway),
    findings,
    unlistedWithSecret: facts.unlistedWithSecret,
    unnamedWithSecret: 0,
    withoutSecret: 0,
    isIncomplete: false
  })
}

/** Judges how all is. */
export function stateOf(facts: Facts): State {
  const { status, fleet, evidence, stricter, now } = facts
  const { lastError, warnings } = status
  // What no longer happens is no trouble now.
  const { answer: genuine } = genuineOf(onlyOpenOf(facts), evidence)
  const rejected = totalOf(facts.open)
  const actions = [
    // Another server may have other options, another list, or an override of its own.
    ...(stricter.servers.length === 0
      ? []
      : [
          `Other servers reject what this one accepts, by another list, other options or an override: see the page of ${serversText(stricter.servers)}.`
        ]),
    ...facts.diagnosis,
    ...(lastError === null
      ? []
      : [
          `The source of the list has failed. ${lastError} The list of ${status.revision} stays in use until a newer one is loaded.`
        ]),
    ...warnings.map(problemLine),
    ...(fleet === null ? [] : fleetActions(fleet))
  ]
  const [last] = fromMoEngage(facts)
  // Where no server that runs rejected anything, those did that have ended.
  const outcome = outcomeWords(totalOf(facts.counts.rejected) === 0 ? facts.outcomesOfEnded : facts.outcomes)
  const state = (tone: State['tone'], sentence: string): State => ({ tone, sentence, actions, evidence })
  if (evidence.some(({ kind }) => kind === 'list-aged')) {
    return state(
      'bad',
      `Requests of MoEngage ${outcome}: they carry your secret and come from addresses that the list lacks.`
    )
  }
  if (genuine === 'yes' || stricter.hasSecret) {
    return state('bad', `Requests of MoEngage ${outcome}: they carry your secret.`)
  }
  // Of signed reports nothing is said but who wrote them. Strangers that are denied are no trouble.
  const others = facts.rejecting.filter(({ open, reasons }) => totalOf({ ...(open ?? reasons), denied: 0 }) > 0)
  const isOfOthers = facts.diagnosis.length === 0 && stricter.servers.length === 0 && others.length > 0
  const ofRejections = (sentence: string) => {
    if (isOfOthers) actions.unshift(`Other servers rejected them: see the page of ${serversText(others)}.`)
    return state('bad', sentence)
  }
  const hasAction = actions.length > 0 || isOfOthers
  if (stricter.servers.length > 0 || (genuine === 'likely' && hasAction)) {
    return ofRejections(`Requests that are probably genuine ${outcome}.`)
  }
  const unless = byAllow(facts) === undefined ? '' : ', unless from an address of your own “allow”'
  if (rejected > 0 && last === undefined && hasAction) {
    return ofRejections(`MoEngage has not got through yet${unless}, and requests ${outcome}.`)
  }
  if (lastError !== null)
    return state('bad', 'The list of MoEngage’s addresses may get out of date: its source has failed.')
  if (warns(facts, 'MOE_WARN_STALE')) return state('bad', 'The list of MoEngage’s addresses is old.')
  if (warns(facts, 'MOE_WARN_DRIFT'))
    return state('bad', 'MoEngage’s page has changed: the list in use is not the newest.')
  if (last === undefined) {
    actions.push(
      'Send a test from MoEngage’s dashboard: the request appears here, accepted or rejected. If nothing appears, it did not reach this server.'
    )
    return state('wait', `Ready. No request from MoEngage has been accepted yet${unless}.`)
  }
  if (actions.length > 0) return state('bad', 'MoEngage gets through, but something needs your attention.')
  if (now - last.at >= LONG_AGO) {
    actions.push('If MoEngage should have called since then, see whether the request reached this server at all.')
    return state('wait', `Nothing is wrong here, and MoEngage last got through ${ago(now - last.at)}.`)
  }
  return state('good', 'All is well: MoEngage gets through.')
}

/** The facts with the rejections alone that are open. */
const onlyOpenOf = (facts: Facts): Facts => ({
  ...facts,
  counts: { ...facts.counts, rejected: facts.open },
  turnedAway: facts.turnedAway.map(onlyOpen)
})

/** Maximum number of calls and of paths that are named. */
const NAMED = 3

const MARKS = { good: '✓', bad: '!', wait: '…' }

export function statePart(state: State): string {
  const { tone, sentence, actions, evidence = [] } = state
  const what = actions.length > 0 ? listOf(actions) : html`<p>Nothing.</p>`
  return html`<div class="state !${tone}">
<p><span class="mark" aria-hidden="true">${MARKS[tone]}</span> <span>${sentence}</span></p>
<h2>What to do now</h2>
!${what}!${evidence.map(findingPart)}
</div>`
}

/** What to paste for a finding, and the ticket for MoEngage's support. */
export function findingPart({ paste, ticket }: Pick<Finding, 'paste' | 'ticket'>): string {
  return html`!${paste === null ? '' : html`<h2>To paste into the options of the guard</h2><pre tabindex="0">${paste}</pre>`}
!${ticket === null ? '' : html`<details><summary>A text for MoEngage’s support</summary><pre tabindex="0">${ticket}</pre></details>`}`
}

interface Answer {
  readonly question: string
  /** Text. */
  readonly answer: string
  /** HTML. */
  readonly detail: string
}

/** The questions that people come with, and their answers. */
export function answersPart(facts: Facts): string {
  const genuine = genuineOf(facts, facts.proofs)
  const answers = [
    calledAnswer(facts, genuine),
    channelAnswer(facts),
    ...rejectedAnswers(facts, genuine),
    listAnswer(facts)
  ]
  const items = answers.map(
    ({ question, answer, detail }) => html`<div><dt>${question}</dt><dd>${answer}</dd><dd>!${detail}</dd></div>`
  )
  return html`<dl class="answers">!${items.join('\n')}</dl>`
}

function calledAnswer(facts: Facts, { answer: genuine }: Genuine): Answer {
  const { now, minutes, since } = facts
  const question = 'Did MoEngage call in the last hour?'
  const [last] = fromMoEngage(facts)
  if (last !== undefined && now - last.at < HOUR) {
    const accepted = minutes.reduce((sum, { verified }) => sum + verified, 0)
    const from = Math.max(since, ...minutes.slice(0, 1).map((bar) => bar.from))
    const where = isOfFleet(facts) ? ' by this server' : ''
    const detail = html`${plural(accepted, 'request')} accepted${where} since !${timeTag(from)}.`
    return { question, answer: `Yes, ${ago(now - last.at)}`, detail }
  }
  const accepted =
    last === undefined
      ? `No request of MoEngage was accepted ${isOfFleet(facts) ? 'by any server of the fleet' : 'since the server started'}.`
      : html`The last accepted request of MoEngage came !${timeAgo(last.at, now)}.`
  const [rejected] = withSecret(facts)
  const outcome = outcomeWords(facts.outcomes, 'was')
  const own = byAllow(facts)
  const ownText =
    own === undefined
      ? ''
      : `Your own “allow” or an override accepted a request ${ago(now - own.at)}: if the address is MoEngage’s, it called`
  // The advice about a rejected call is to accept the next one.
  const isAllowedSince =
    rejected !== undefined &&
    own !== undefined &&
    own.at >= rejected.lastSeen &&
    totalOf(openOf(rejected).reasons) === 0
  if (rejected !== undefined && now - rejected.lastSeen < HOUR) {
    const when = isAlways(rejected) ? ago(now - rejected.lastSeen) : 'within the hour'
    if (isAllowedSince) {
      const detail = html`A request with your secret ${outcome}: it came ${when}. ${ownText} after that. !${accepted}`
      return { question, answer: 'Yes', detail }
    }
    const detail = html`It carries your secret and came ${when}. !${accepted}`
    return { question, answer: `Yes, and it ${outcome}`, detail }
  }
  if (isUnresolvedRecent(facts)) {
    const detail = html`It carries your secret, has no client IP that can be relied on, and came within the hour. !${accepted}`
    return { question, answer: `Yes, and it ${outcome}`, detail }
  }
  if (own !== undefined && now - own.at < HOUR) {
    const detail = html`${ownText}. !${accepted}`
    return { question, answer: 'That depends', detail }
  }
  if (genuine !== 'no' && isRejecting(facts)) {
    const detail = html`!${accepted} Requests were rejected within the hour, and whether MoEngage’s are among those is not known here.`
    return { question, answer: 'None that was accepted', detail }
  }
  const wasLast = rejected !== undefined && !(last !== undefined && last.at > rejected.lastSeen)
  if (isHiddenElsewhere(facts)) {
    const known = wasLast
      ? html` The last call with your secret that ${outcome} came ${ago(now - rejected.lastSeen)}.${isAllowedSince ? ` ${ownText} after that.` : ''}`
      : ''
    const detail = html`!${accepted}!${known} Other servers rejected requests without a client IP that can be relied on, and whether MoEngage’s are among those is not known here.`
    return { question, answer: 'None that was accepted', detail }
  }
  if (wasLast) {
    const came = `came ${ago(now - rejected.lastSeen)}`
    if (isAllowedSince) {
      const detail = html`${ownText} after that. !${accepted}`
      return { question, answer: `No, the last call with your secret that ${outcome} ${came}`, detail }
    }
    return { question, answer: `No, the last call ${came}, and it ${outcome}`, detail: accepted }
  }
  if (last === undefined) return { question, answer: 'No', detail: accepted }
  return { question, answer: `No, the last call came ${ago(now - last.at)}`, detail: timeTag(last.at) }
}

/**
 * Rejected senders with your secret that are not of your own network, the latest first. Of a sender that left it out once, it is not known
 * which request had it: it is among them if all of its requests came within the hour.
 */
function withSecret({ turnedAway, now }: Facts): Sender[] {
  return turnedAway
    .filter((sender) => !sender.isOwn && totalOf(sender.withSecret) > 0)
    .filter((sender) => isAlways(sender) || now - sender.firstSeen < HOUR)
    .sort((a, b) => b.lastSeen - a.lastSeen)
}

/** Whether each request of a sender carried your secret. */
const isAlways = ({ withSecret, count }: Sender): boolean => totalOf(withSecret) === count

/**
 * Whether a request with your secret that has no client IP was rejected within the hour. No sender says when it came: one did if there
 * are more of them than rejections before the hour.
 */
function isUnresolvedRecent({ proofs, status, minutes }: Facts): boolean {
  const recent = minutes.reduce((sum, { rejected }) => sum + rejected, 0)
  const before = totalOf(status.rejected) - recent
  return proofs.some(({ kind, count }) => kind === 'unresolved' && count > before)
}

/** Whether a request was rejected within an hour, as far as this server knows. */
function isRejecting({ turnedAway, minutes, now }: Facts): boolean {
  return turnedAway.some(({ lastSeen }) => now - lastSeen < HOUR) || minutes.some(({ rejected }) => rejected > 0)
}

/** Whether another server rejected requests that no sender is known of: it does not report which of them carried the secret, and when. */
function isHiddenElsewhere({ rejecting }: Facts): boolean {
  return rejecting.some(({ reasons }) => REASONS.some((reason) => isUnresolved(reason) && reasons[reason]))
}

function channelAnswer(facts: Facts): Answer {
  const question = 'Which channel was it?'
  const recent = fromMoEngage(facts).filter(({ at }) => facts.now - at < HOUR)
  if (recent.length === 0) {
    const rejected = withSecret(facts).filter(({ lastSeen }) => facts.now - lastSeen < HOUR)
    // Of a sender that left the secret out once, several routes do not say on which one it came.
    const certain = rejected.filter((sender) => isAlways(sender) || sender.routes.length === 1)
    const routes = [...new Set(certain.flatMap((sender) => sender.routes))]
    const detail = routes.length === 0 ? '' : html`Requests with your secret were rejected on ${listed(routes)}.`
    return { question, answer: 'None was accepted in the last hour', detail }
  }
  const publishedFor = publishing(facts)
  const calls = recent.map((call) => ({ ...call, published: publishedFor(call) }))
  const answer = firstOf(calls.map((call) => (isShared(call) ? pathOf(call) : acceptedAs(call))))
  const shared = [...new Set(calls.filter(isShared).flatMap(({ published }) => published))]
  if (shared.length === 0) {
    const isKnown = calls.every(({ published }) => published.length > 0)
    return { question, answer, detail: isKnown ? 'Their addresses are published for these channels alone.' : '' }
  }
  const narrowed = calls.filter(({ channels, published }) => channels.length < published.length)
  const accepted = narrowed.length === 0 ? '' : ` Accepted as ${firstOf(narrowed.map(acceptedAs))}.`
  const detail = html`The path tells the channel: MoEngage uses the same addresses for ${channelsOrCount(shared)}.${accepted} <a href="#routes">All calls</a>`
  return { question, answer, detail }
}

/** Whether the address of a call may be published for several channels, so that only the path tells which one it was. */
const isShared = ({ published }: { readonly published: readonly Channel[] }) => published.length > 1

const pathOf = ({ route }: LastVerified) => route ?? 'a path that the guard does not know'

const acceptedAs = (call: LastVerified) => `${channelsOrCount(call.channels)} (${pathOf(call)})`

/** The first of some names, and how many more there are. */
function firstOf(names: readonly string[]): string {
  const all = [...new Set(names)]
  return listed(all.length > NAMED ? [...all.slice(0, NAMED), `${number(all.length - NAMED)} more`] : all)
}

function rejectedAnswers(facts: Facts, { answer, evidence }: Genuine): Answer[] {
  const question = 'Was anybody turned away?'
  const rejected = totalOf(facts.counts.rejected)
  const isFleet = isOfFleet(facts)
  const { outcomes, outcomesOfEnded: ended } = facts
  if (rejected === 0 && endedText(ended).length > 0) {
    const answer = ended.turnedAway + ended.unknown > 0 ? 'Not by a server that runs' : 'No'
    const detail = html`${endedText(ended)} <a href="#senders">Who it was</a>`
    return [{ question, answer, detail }]
  }
  if (rejected === 0) {
    return [{ question, answer: 'No', detail: isFleet ? 'Nobody, by any server.' : 'Nobody since the server started.' }]
  }
  const recent = facts.minutes.reduce((sum, bar) => sum + bar.rejected, 0)
  const where = isFleet ? 'by this server' : `from ${fromSenders(facts.status)}`
  const details = [...detailsOf(outcomes), ...endedText(ended)].map((sentence) => `${sentence} `)
  return [
    {
      question,
      answer: answerOf(outcomes),
      detail: html`${details.join('')}${plural(recent, 'rejection')} in the last hour${isFleet ? ' ' : '; '}${where}. <a href="#senders">Who it was</a>`
    },
    {
      question: 'Was any of it genuine?',
      answer: GENUINE_WORDS[answer],
      // The first sentence is about verified requests.
      detail: html`${evidence.slice(1).join(' ')}`
    }
  ]
}

/** How many senders there were, as far as they are remembered; a request without a client IP has none. */
function fromSenders({ senders, rejected }: Facts['status']): string {
  const unknown = REASONS.filter(isUnresolved).reduce((sum, reason) => sum + rejected[reason], 0)
  const known = plural(senders, 'remembered sender')
  return unknown === 0 ? known : `${known}, and ${plural(unknown, 'request')} without a client IP`
}

/** What servers did that have ended, as sentences. */
const endedText = (ended: Outcomes): string[] =>
  Object.values(ended).every((count) => count === 0)
    ? []
    : [`Servers that have ended ${listed(deedsOf(ended))} within a day.`]

function listAnswer(facts: Facts): Answer {
  const { status, metrics, now } = facts
  const question = 'Is the list current?'
  if (warns(facts, 'MOE_WARN_FUTURE')) {
    return { question, answer: 'Not known', detail: 'It is dated in the future. <a href="#list">The list</a>' }
  }
  const isCurrent =
    status.lastError === null && !['MOE_WARN_STALE', 'MOE_WARN_DRIFT'].some((code) => warns(facts, code))
  return {
    question,
    answer: isCurrent ? 'Yes' : 'No',
    detail: html`Last checked against MoEngage’s page ${ago(now - Date.parse(metrics.checked))}, on ${metrics.checked}. <a href="#list">The list</a>`
  }
}

/** When MoEngage last got through, by route. */
export function lastVerifiedRows({ calls, now }: Facts) {
  return calls.map(({ at, route, dataCenter, channels }) => [
    route ?? '(no route)',
    { html: timeAgo(at, now) },
    dataCenter ?? 'your "allow" list, or an override',
    channelNames(channels)
  ])
}
