import { number, plural } from './words.js'

/** What became of the requests that were rejected. */
export interface Outcomes {
  /** How many were answered with a rejection. */
  readonly turnedAway: number
  /** How many were let through, by mode `'tag'`. */
  readonly tagged: number
  /** How many no route rejected: your code asked about them with `judge`. */
  readonly asked: number
  /** How many were rejected by servers of an older version, which does not report what became of them. */
  readonly unknown: number
}

/** What a server counted. */
interface Counted {
  /** How many requests were rejected, in either mode. */
  readonly rejected: number
  /** Null where a server of an older version does not report it. */
  readonly tagged: number | null
  readonly turnedAway: number | null
}

/** What became of the requests that servers rejected. */
export function outcomesOf(servers: readonly Counted[]): Outcomes {
  const sum = { turnedAway: 0, tagged: 0, asked: 0, unknown: 0 }
  for (const { rejected, tagged, turnedAway } of servers) {
    if (tagged === null || turnedAway === null) {
      sum.unknown += rejected
      continue
    }
    sum.turnedAway += turnedAway
    sum.tagged += tagged
    sum.asked += Math.max(0, rejected - turnedAway - tagged)
  }
  return sum
}

/** What happened to requests that were not accepted, or to one of them, as the end of a sentence. */
export function outcomeWords({ turnedAway, tagged, asked, unknown }: Outcomes, were: 'were' | 'was' = 'were'): string {
  if (turnedAway > 0) return `${were} ${tagged + asked + unknown > 0 ? 'rejected' : 'turned away'}`
  return unknown > 0 ? 'may have been turned away' : 'would be turned away'
}

/** Whether anybody was turned away, in a few words; there are rejections. */
export function answerOf({ turnedAway, tagged, asked, unknown }: Outcomes): string {
  if (turnedAway > 0) return `Yes, ${plural(turnedAway, 'request')}`
  if (unknown > 0) return `Perhaps, up to ${plural(unknown, 'request')}`
  return `${asked > 0 ? 'Not by a route' : 'No'}, but ${plural(tagged + asked, 'request')} would be`
}

/** What became of those that were not turned away for certain: whole sentences. */
export function detailsOf({ turnedAway, tagged, asked, unknown }: Outcomes): string[] {
  const rest = turnedAway > 0 ? 'more' : 'of them'
  return [
    ...(tagged > 0 ? [`Mode “tag” let ${number(tagged)} ${rest} through.`] : []),
    ...(asked > 0
      ? [`Your code asked about ${number(asked)} ${rest} with “judge”; what became of them is not known here.`]
      : []),
    ...(unknown > 0
      ? [
          `Servers of an older version rejected ${number(unknown)} ${rest}, and do not report whether mode “tag” let them through.`
        ]
      : [])
  ]
}

/** What servers did with requests that they rejected, behind "they": "turned away 2 requests". */
export function deedsOf({ turnedAway, tagged, asked, unknown }: Outcomes): string[] {
  const others = [
    ...(tagged > 0 ? [`let ${number(tagged)} through by mode “tag”`] : []),
    ...(asked > 0 ? [`were asked about ${number(asked)} with “judge”`] : []),
    ...(unknown > 0 ? [`turned away or let through ${number(unknown)}, which an older version does not report`] : [])
  ]
  return turnedAway > 0 || others.length === 0 ? [`turned away ${plural(turnedAway, 'request')}`, ...others] : others
}
