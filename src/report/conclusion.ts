import type { Finding } from '../evidence/findings.js'
import { counted } from '../senders/diagnosis.js'
import { REASONS, type Reason } from '../verdict/verdict.js'
import { spanText } from './histogram.js'

/** The facts that an answer is made of. */
export interface Evidence {
  /** Milliseconds between our first line and the last; not finite if no line has a time. */
  readonly span: number
  /** Number of verified requests; null if it is unknown. */
  readonly verified: number | null
  /** Why that number is unknown, if it is. */
  readonly verifiedUnknown: string
  /** The rejections in question, by reason. */
  readonly rejected: Readonly<Record<Reason, number>>
  /** How many of them are of addresses that were on MoEngage's page before. */
  readonly removed: number
  /** What the secret gives away about addresses that are not listed, if it does. */
  readonly listAged: Finding | undefined
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

/** The reasons for which genuine requests are rejected. */
const LIKELY_GENUINE: Partial<Record<Reason, string>> = {
  'other-data-center': "from MoEngage's addresses of other data centers",
  'other-channel': "from MoEngage's addresses of other channels",
  'proxy-not-configured': 'from what seems to be your own proxy',
  'permissive-trust': 'while every sender could choose its address',
  'stale-list': 'from listed addresses, while the list was stale',
  unresolved: 'without a client IP that can be relied on'
}

/** Answers the question of a log in mode "tag". */
export function canReject(facts: Evidence): CanReject {
  const { likely, strangers, evidence } = weigh(facts)
  const covers = Number.isFinite(facts.span)
    ? [`The log covers ${spanText(facts.span, 2)}: did every channel call in that time?`]
    : []
  const all = [...evidence, ...covers]
  if (likely > 0 || facts.verified === 0) return { answer: 'no', evidence: all }
  const isUnclear = facts.verified === null || strangers > 0 || facts.isIncomplete
  return { answer: isUnclear ? 'unclear' : 'yes', evidence: all }
}

/** Answers the question of a log in mode "reject". */
export function genuine(facts: Evidence): Genuine {
  const { likely, strangers, evidence } = weigh(facts)
  if (facts.listAged !== undefined) return { answer: 'yes', evidence }
  if (likely > 0) return { answer: 'likely', evidence }
  if (strangers > 0) return { answer: 'possible', evidence }
  return { answer: facts.isIncomplete ? 'unclear' : 'no', evidence }
}

function weigh({ verified, verifiedUnknown, rejected, removed, listAged, unnamedWithSecret, withoutSecret }: Evidence) {
  const likely = REASONS.flatMap((reason) => {
    const words = LIKELY_GENUINE[reason]
    return words === undefined || rejected[reason] === 0 ? [] : [`${counted(rejected[reason], 'request')} ${words}.`]
  })
  if (removed > 0) likely.push(`${counted(removed, 'request')} from addresses that were removed from MoEngage's page.`)
  const withSecret = Math.min(listAged?.count ?? 0, rejected['not-listed'])
  if (withSecret > 0)
    likely.push(`${counted(withSecret, 'request')} with your secret from addresses that are not listed.`)
  if (unnamedWithSecret > 0) {
    likely.push(
      `${counted(unnamedWithSecret, 'request')} with your secret from a sender that no line names: status().evidence of the server does.`
    )
  }
  const strangers = Math.max(0, rejected['not-listed'] - removed - withSecret)
  const without = withoutSecret >= strangers ? ', none of them with your secret' : ''
  return {
    likely: likely.length,
    strangers,
    evidence: [
      verified === null ? verifiedUnknown : `${counted(verified, 'request')} verified.`,
      ...likely,
      ...(strangers > 0
        ? [`${counted(strangers, 'request')} from addresses that are not listed${without}: do you know any of them?`]
        : [])
    ]
  }
}
