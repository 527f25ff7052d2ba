import { median } from '../measure/statistics.js'
import { digits } from '../report/markdown.js'
import { type Target, target } from '../report/targets.js'
import type { ListName } from './lists.js'
import type { ListResult } from './measure-list.js'
import {
  BLOCK_LIST,
  HONO,
  IP_FILTER,
  IP_SET,
  LOOP,
  LRU_LOOP,
  MATCHER,
  READING,
  SET,
  VERDICT,
  WRONG_SECRET
} from './subjects.js'
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

/** What issue 4 asks of the matcher and the verdict. */
export function matcherTargets(results: Results): Target[] {
  return [...realTargets(results.real), ...largeTargets(results)]
}

function realTargets(real: ListResult): Target[] {
  const ours = (traffic: TrafficName) => median(real.timings[lane(MATCHER, traffic)]!)
  return [
    lead('genuine senders', real, LOOP, 'senders', 20, READ_ONCE),
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
      2,
      timesAs(real, VERDICT, 'senders').median,
      times,
      'besides the look-up it compares the peer and counts by route and by prefix, for the metrics.'
    ),
    lead('mapped senders', real, LOOP, 'mapped', 80, READ_ONCE),
    lead('IPv6 flood', real, LOOP, 'flood6', 40),
    lead(
      'flood',
      real,
      LOOP,
      'flood',
      35,
      'reading two octets is all that is left; the ratio moves with the machine, from 30 to 36.'
    ),
    lead('flood', real, HONO, 'flood', 10),
    lead('flood', real, LRU_LOOP, 'flood', 60),
    lead('flood', real, IP_FILTER, 'flood', 15_000),
    lead('flood', real, SET, 'flood', 1),
    target('flood: cost of matcher relative to genuine senders', '≤', 1, ours('flood') / ours('senders'), times),
    target(
      'flood: cost of verdict relative to genuine senders',
      '≤',
      1,
      median(real.timings[lane(VERDICT, 'flood')]!) / median(real.timings[lane(VERDICT, 'senders')]!),
      times,
      'the verdict of a known sender is an object that exists already; that of a stranger is made, with its text, and ' +
        'noted in the ledger. The matcher alone is quicker in a flood.'
    ),
    target(
      'flood: a wrong secret, above the verdict alone',
      '≤',
      1,
      (median(real.timings[lane(WRONG_SECRET, 'flood')]!) - median(real.timings[lane(VERDICT, 'flood')]!)) / 1000,
      (value) => `${digits(value)} µs`
    ),
    ...real.traffic.map((traffic) =>
      target(
        `${traffic}: cost relative to reading the characters`,
        '≤',
        1.8,
        timesAs(real, MATCHER, traffic, READING).median,
        times,
        'addresses of different lengths mispredict branches for every octet; nothing but reading remains to be saved.'
      )
    ),
    target('any traffic: allocated by the matcher', '≤', 0, mostBytes(real), bytes)
  ]
}

const FLOOD_AT_41 =
  'at 41 entries most strangers are given up after two octets, which made the divisor smaller; at a million there are ' +
  'entries behind all leading bits, and the search leaves the processor’s caches.'
const HALF_IPV6 =
  'half of the prefixes are IPv6, whose boundaries take 16 bytes each, and the list itself is kept to explain a verdict ' +
  'by its prefix; with IPv4 alone it is 11.'

function largeTargets(results: Results): Target[] {
  const { real, '10k': large, '1M': huge } = results
  const build = large.builds[MATCHER]!
  const hugeBuild = huge.builds[MATCHER]!
  const hugeLoop = huge.builds[LOOP]!
  return [
    lead('10,000 prefixes, genuine senders', large, IP_SET, 'senders', 7),
    lead('10,000 prefixes, flood', large, IP_SET, 'flood', 7),
    lead('10,000 prefixes, flood', large, LOOP, 'flood', 800),
    lead('10,000 prefixes, IPv6 flood', large, LOOP, 'flood6', 200),
    target('flood at 10,000: cost relative to 41', '≤', 1.5, scaling(large, real), times),
    target('10,000 prefixes: first compilation', '≤', 60, build.firstMs, milliseconds),
    target('flood at 1,000,000: cost relative to 41', '≤', 6, scaling(huge, real), times, FLOOD_AT_41),
    target('1,000,000 prefixes: held an entry', '≤', 12, hugeBuild.bytes / 1e6, bytes, HALF_IPV6),
    target(
      '1,000,000 prefixes: compiled, of the time of ipaddr.js',
      '≤',
      0.5,
      hugeBuild.firstMs / hugeLoop.firstMs,
      times
    ),
    target(
      '10,000 and 1,000,000: allocated by the matcher',
      '≤',
      0,
      Math.max(mostBytes(large), mostBytes(huge)),
      bytes
    ),
    {
      what: `10,000 prefixes, flood: ours against ${BLOCK_LIST}`,
      wanted: 'no goal',
      measured: times(timesAs(large, BLOCK_LIST, 'flood').median),
      met: true,
      why: ''
    }
  ]
}

/** Two lists are measured in processes of their own, so each is taken relative to reading the characters there. */
function scaling(larger: ListResult, smaller: ListResult): number {
  return timesAs(larger, MATCHER, 'flood', READING).median / timesAs(smaller, MATCHER, 'flood', READING).median
}

function mostBytes({ traffic, answers }: ListResult): number {
  return Math.max(...traffic.map((name) => answers.bytes[lane(MATCHER, name)]!))
}
