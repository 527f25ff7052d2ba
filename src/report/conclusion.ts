import type { Finding, FindingKind } from '../evidence/findings.js'
import { counted } from '../senders/diagnosis.js'
import type { Sender } from '../senders/senders.js'
import { REASONS, type Reason } from '../verdict/verdict.js'
import { spanText } from './histogram.js'

/** The facts that an answer is made of. */
export interface Evidence {
  /** Milliseconds between our first line and the last; not finite if no line has a time. */
  readonly span: number
  /** Whether a request of MoEngage was verified; null if that is unknown, as where only your own `allow` verified requests. */
  readonly hasVerified: boolean | null
  /** What is known of verified requests, as a sentence. */
  readonly aboutVerified: string
  /** The rejections in question, by reason. */
  readonly rejected: Readonly<Record<Reason, number>>
  /** How many without the secret are of addresses that were on MoEngage's page before. */
  readonly removed: number
  /** How many without the secret are of addresses on MoEngage's page that are denied. */
  readonly denied: number
  /** What the secret gives away. */
  readonly findings: readonly Pick<Finding, 'kind' | 'count'>[]
  /** How many of the rejections of unlisted addresses are among the findings, also those of the receiver's own set-up. */
  readonly unlistedWithSecret: number
  /** How many rejections carried the secret without a line that names the sender. */
  readonly unnamedWithSecret: number
  /** How many of the rejections of unlisted addresses are known not to carry the secret. */
  readonly withoutSecret: number
  /** Whether parts of the log could not be read, or are missing. */
  readonly isIncomplete: boolean
}

/** Whether requests that are tagged now can be rejected. */
export interface CanReject {
  readonly answer: 'yes' | 'no' | 'unclear'
  readonly evidence: readonly string[]
}

/** Whether requests that were rejected were genuine. */
export interface Genuine {
  readonly answer: 'yes' | 'likely' | 'possible' | 'no' | 'unclear'
  readonly evidence: readonly string[]
}

/** The answers to the question whether requests that were rejected were genuine, in words. */
export const GENUINE_WORDS: Readonly<Record<Genuine['answer'], string>> = {
  yes: 'Yes',
  likely: 'Likely',
  possible: 'Possibly',
  no: 'No',
  unclear: 'The log does not say'
}

/** What the secret gives away about requests that were rejected, in the words that go on after their number; null where the reason says it. */
const PROVEN: Partial<Record<FindingKind, string | null>> = {
  'list-aged': 'with your secret from addresses that are not listed',
  'stale-list': null,
  'other-data-center': null,
  'other-channel': null,
  denied: 'with your secret from addresses that are denied',
  proxy: 'with your secret from your own network or a provider in front of it, or from what may be a proxy',
  unresolved: 'with your secret and without a client IP that can be relied on'
}

/** What a reason says about whether requests that are rejected for it are genuine, in the words that go on after their number. */
interface Sign {
  readonly says: 'likely' | 'possible'
  readonly words: string
}

const likely = (words: string): Sign => ({ says: 'likely', words })
const possible = (words: string): Sign => ({ says: 'possible', words })

/** The reasons for which genuine requests are rejected. What any stranger can cause makes nothing likely. */
const SIGNS: Partial<Record<Reason, Sign>> = {
  'other-data-center': likely("from MoEngage's addresses of other data centers"),
  'other-channel': likely("from MoEngage's addresses of other channels"),
  'proxy-not-configured': likely('from what seems to be your own proxy'),
  'permissive-trust': likely('while every sender could choose its address'),
  'stale-list': likely('from listed addresses, while the list was stale'),
  unresolved: likely('without a client IP that can be relied on')
}

/** The same where requests get through: then a proxy that they do not come by may be a stranger's, and anybody can break a request of his own. */
const SIGNS_BESIDE_VERIFIED: typeof SIGNS = {
  ...SIGNS,
  'proxy-not-configured': possible(
    "from what is your own proxy if it stands in front of your server, and a stranger's if not"
  ),
  unresolved: possible(
    'without a client IP that can be relied on: the hint in the log says whether your proxy is why, or what any stranger can send'
  )
}

const UNNAMED = 'with your secret from a sender that no line names: status().evidence of the server does'

/** Answers the question of a log in mode "tag". */
export function canReject(facts: Evidence): CanReject {
  const { isLikely, isPossible, evidence } = weigh(facts)
  const covers = Number.isFinite(facts.span)
    ? [`The log covers ${spanText(facts.span, 2)}: did every channel call in that time?`]
    : []
  const all = [...evidence, ...covers]
  if (isLikely || facts.hasVerified === false) return { answer: 'no', evidence: all }
  const isUnclear = facts.hasVerified === null || isPossible || facts.isIncomplete
  return { answer: isUnclear ? 'unclear' : 'yes', evidence: all }
}

/** Answers the question of a log in mode "reject". */
export function genuine(facts: Evidence): Genuine {
  const { isLikely, isPossible, evidence } = weigh(facts)
  // What carries the secret inside of one's own network may be a test of one's own.
  if (facts.findings.some(({ kind }) => kind in PROVEN && kind !== 'proxy')) return { answer: 'yes', evidence }
  if (isLikely) return { answer: 'likely', evidence }
  if (isPossible) return { answer: 'possible', evidence }
  return { answer: facts.isIncomplete ? 'unclear' : 'no', evidence }
}

/** How many requests with the secret came from addresses that are not listed. */
export const unlistedWithSecret = (senders: readonly Pick<Sender, 'withSecret'>[]): number =>
  senders.reduce((sum, { withSecret }) => sum + (withSecret['not-listed'] ?? 0), 0)

/** What is known of rejected senders, besides what the secret gives away. */
export function knownOf(senders: readonly Sender[]): Pick<Evidence, 'removed' | 'denied'> {
  let [removed, denied] = [0, 0]
  for (const sender of senders) {
    if (sender.removed !== null) removed += withoutSecretFor(sender, 'not-listed')
    if (sender.listedFor.length > 0) denied += withoutSecretFor(sender, 'denied')
  }
  return { removed, denied }
}

const withoutSecretFor = ({ reasons, withSecret }: Sender, reason: Reason) =>
  (reasons[reason] ?? 0) - (withSecret[reason] ?? 0)

function weigh(facts: Evidence) {
  const { hasVerified, aboutVerified, rejected, findings, unnamedWithSecret, withoutSecret } = facts
  const removed = Math.min(facts.removed, rejected['not-listed'])
  const denied = Math.min(facts.denied, rejected.denied)
  const table = hasVerified === true ? SIGNS_BESIDE_VERIFIED : SIGNS
  const signs = REASONS.flatMap((reason) => {
    const sign = table[reason]
    return sign === undefined || rejected[reason] === 0 ? [] : [about(rejected[reason], sign)]
  })
  if (removed > 0) signs.push(about(removed, likely("from addresses that were removed from MoEngage's page")))
  if (denied > 0) signs.push(about(denied, likely("from addresses on MoEngage's page that are denied")))
  for (const { kind, count } of findings) {
    const words = PROVEN[kind]
    if (words) signs.push(about(count, likely(words)))
  }
  if (unnamedWithSecret > 0) signs.push(about(unnamedWithSecret, likely(UNNAMED)))
  const strangers = Math.max(0, rejected['not-listed'] - removed - facts.unlistedWithSecret)
  if (strangers > 0) {
    const without = withoutSecret >= strangers ? ', none of them with your secret' : ''
    signs.push(about(strangers, possible(`from addresses that are not listed${without}: do you know any of them?`)))
  }
  return {
    isLikely: signs.some(({ says }) => says === 'likely'),
    isPossible: signs.some(({ says }) => says === 'possible'),
    evidence: [aboutVerified, ...signs.map(({ words }) => words)]
  }
}

/** A sign with its sentence. */
const about = (count: number, { says, words }: Sign): Sign => ({
  says,
  words: `${counted(count, 'request')} ${words}${words.endsWith('?') ? '' : '.'}`
})
