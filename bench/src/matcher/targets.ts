import { median } from '../measure/statistics.js'
import { digits } from '../report/markdown.js'
import { type Target, target } from '../report/targets.js'
import type { ListName } from './lists.js'
import type { ListResult } from './measure-list.js'
import { HONO, IP_FILTER, IP_SET, LOOP, LRU_LOOP, MATCHER, READING, SET, VERDICT, WRONG_SECRET } from './subjects.js'
import { timesAs } from './tables.js'
import { lane, type TrafficName } from './traffic.js'

type Results = Record<ListName, ListResult>

const times = (value: number) => `${digits(value)} ×`
const milliseconds = (value: number) => `${digits(value)} ms`
const bytes = (value: number) => `${digits(value)} bytes`

/** How much slower than ours, by the medians of rounds. */
function lead(
  what: string,
  result: ListResult,
  peer: string,
  traffic: TrafficName,
  wanted: number,
  why?: string
): Target {
  return target(`${what}: ours against ${peer}`, '≥', wanted, timesAs(result, peer, traffic).median, times, why)
}

const READ_ONCE =
  'nothing is remembered by text, so every character is read and every octet computed; a memo by text would win here and ' +
  'lose in a flood, and in the guard the address is read from a header in any case.'

/** What is asked of the matcher and the verdict. */
export function matcherTargets(results: Results): Target[] {
  return [...realTargets(results.real), ...largeTargets(results)]
}

function realTargets(real: ListResult): Target[] {
  const verdict = (traffic: TrafficName) => median(real.timings[lane(VERDICT, traffic)]!)
  const wrongSecret = median(real.timings[lane(WRONG_SECRET, 'flood')]!)
  return [
    lead('genuine senders', real, LOOP, 'senders', 15, READ_ONCE),
    lead('genuine senders', real, HONO, 'senders', 1.5),
    target(
      'genuine senders: cost of matcher relative to Set.has',
      '≤',
      1.5,
      timesAs(real, MATCHER, 'senders', SET).median,
      times
    ),
    target(
      'genuine senders: cost of verdict relative to matcher',
      '≤',
      3,
      timesAs(real, VERDICT, 'senders').median,
      times,
      'besides the look-up it compares the peer, and counts by route, by prefix and by the last verified request.'
    ),
    lead('mapped senders', real, LOOP, 'mapped', 55, READ_ONCE),
    lead('IPv6 flood', real, LOOP, 'flood6', 40),
    lead('flood', real, LOOP, 'flood', 30),
    lead('flood', real, HONO, 'flood', 10),
    lead('flood', real, LRU_LOOP, 'flood', 60),
    lead('flood', real, IP_FILTER, 'flood', 15_000),
    target(
      'flood: cost of verdict relative to genuine senders',
      '≤',
      4,
      verdict('flood') / verdict('senders'),
      times,
      'the verdict of a known sender is an object that exists already; that of a stranger is made, with its text, and its sender is ' +
        'noted: the two caches of senders take half of it, which is what an LRU cache costs, and a fifth goes to the question whether it is ' +
        'a proxy or a provider.'
    ),
    target(
      'IPv6 flood: cost of verdict relative to genuine senders',
      '≤',
      7,
      verdict('flood6') / verdict('senders'),
      times,
      'an address of eight groups is read and written.'
    ),
    target(
      'flood: a wrong secret, above the verdict alone',
      '≤',
      1,
      (wrongSecret - verdict('flood')) / 1000,
      (value) => `${digits(value)} µs`
    ),
    ...real.traffic.map((traffic) =>
      target(
        `${traffic}: cost relative to reading the characters`,
        '≤',
        2.3,
        timesAs(real, MATCHER, traffic, READING).median,
        times,
        'addresses of different lengths mispredict branches for every octet; nothing but reading remains to be saved.'
      )
    ),
    target('any traffic: allocated by the matcher', '≤', 0, mostBytes(real), bytes),
    target('genuine senders: allocated by the verdict', '≤', 0, real.answers.bytes[lane(VERDICT, 'senders')]!, bytes)
  ]
}

const SIMPLE =
  'the machinery that compiled a million prefixes quickly was cut: MoEngage’s 41 addresses take a millisecond, and a source ' +
  'brings 20,000 at most.'

const READ_WHOLE =
  'of 41 addresses nearly all strangers are given up after two octets, for less than it takes to read their characters; 50,000 ' +
  'prefixes leave few pairs of octets free, so each stranger is read whole and looked up.'

function largeTargets({ real, '10k': large, '50k': larger }: Results): Target[] {
  return [
    lead('10,000 prefixes, genuine senders', large, IP_SET, 'senders', 7),
    lead('10,000 prefixes, flood', large, IP_SET, 'flood', 7),
    lead('10,000 prefixes, flood', large, LOOP, 'flood', 800),
    lead('10,000 prefixes, IPv6 flood', large, LOOP, 'flood6', 200),
    target('10,000 prefixes: first compilation', '≤', 60, large.builds[MATCHER]!.firstMs, milliseconds, SIMPLE),
    target('flood at 50,000: cost relative to 41', '≤', 2, scaling(larger, real), times, READ_WHOLE),
    target('10,000 and 50,000: allocated by the matcher', '≤', 0, Math.max(mostBytes(large), mostBytes(larger)), bytes)
  ]
}

/** Two lists are measured in processes of their own, so each is taken relative to reading the characters there. */
function scaling(larger: ListResult, smaller: ListResult): number {
  return timesAs(larger, MATCHER, 'flood', READING).median / timesAs(smaller, MATCHER, 'flood', READING).median
}

function mostBytes({ traffic, answers }: ListResult): number {
  return Math.max(...traffic.map((name) => answers.bytes[lane(MATCHER, name)]!))
}
