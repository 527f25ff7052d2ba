import { lane as clientLane } from './client-ip/headers.js'
import { answerGroups, timeGroup } from './client-ip/part.js'
import { FASTIFY_PROXY_ADDR, OURS } from './client-ip/resolvers.js'
import { compareOnce } from './end-to-end/comparisons.js'
import { answerChecks, timeChecks } from './matcher/measure-list.js'
import { IP_SET, LOOP, MATCHER, READING, SET, VERDICT } from './matcher/subjects.js'
import { lane, type TrafficName } from './matcher/traffic.js'
import { calibrate } from './measure/quiet.js'
import type { Timings } from './measure/rounds.js'
import { ratio } from './measure/statistics.js'
import { digits } from './report/markdown.js'

// Fails when the hot path starts to allocate or loses half of its lead. Ratios are held against half of what docs/benchmarks.md
// shows, so that no noise reaches them; allocations are exact.

const failures: string[] = []

function atLeast(what: string, wanted: number, measured: number): void {
  report(what, '≥', wanted, measured, measured >= wanted)
}

function atMost(what: string, wanted: number, measured: number): void {
  report(what, '≤', wanted, measured, measured <= wanted)
}

function report(what: string, order: string, wanted: number, measured: number, holds: boolean): void {
  const line = `${what}: ${digits(measured)}, wanted ${order} ${digits(wanted)}`
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${line}`)
  if (!holds) failures.push(line)
}

const REAL: TrafficName[] = ['senders', 'flood', 'mapped', 'flood6']
const LARGE: TrafficName[] = ['flood', 'flood6']

// In a hurry: the bounds leave room for a noisy machine.
process.env.BENCH_PATIENCE = '1500'
await calibrate()
await checkMatcher()
await checkClientIp()
await checkEndToEnd()

console.log(failures.length === 0 ? '\nThe hot path is as fast as it was.' : '')
for (const failure of failures) console.error(`bench:check failed: ${failure}`)
process.exitCode = failures.length === 0 ? 0 : 1

async function checkMatcher(): Promise<void> {
  const subjects = [MATCHER, VERDICT, READING, SET, LOOP]
  const real = await timeChecks({ list: 'real', subjects, traffic: REAL, rounds: 7, milliseconds: 1, seed: 1 })
  const times = (timings: Timings, dividend: string, traffic: TrafficName, divisor: string) =>
    ratio(timings[lane(dividend, traffic)]!, timings[lane(divisor, traffic)]!).median
  atLeast('senders, × faster than the ipaddr.js loop', 8, times(real, LOOP, 'senders', MATCHER))
  atLeast('flood, × faster than the ipaddr.js loop', 16, times(real, LOOP, 'flood', MATCHER))
  atLeast('mapped senders, × faster than the ipaddr.js loop', 30, times(real, LOOP, 'mapped', MATCHER))
  atLeast('IPv6 flood, × faster than the ipaddr.js loop', 40, times(real, LOOP, 'flood6', MATCHER))
  atMost('senders, × Set.has', 2.5, times(real, MATCHER, 'senders', SET))
  for (const traffic of REAL) {
    atMost(`${traffic}, × reading the characters`, 3.6, times(real, MATCHER, traffic, READING))
  }
  atMost('senders, verdict × matcher', 4, times(real, VERDICT, 'senders', MATCHER))

  const peers = [MATCHER, IP_SET, LOOP]
  const large = await timeChecks({ list: '10k', subjects: peers, traffic: LARGE, rounds: 4, milliseconds: 1, seed: 1 })
  atLeast('10,000 prefixes, flood, × faster than ip-set', 6, times(large, IP_SET, 'flood', MATCHER))
  atLeast('10,000 prefixes, flood, × faster than the ipaddr.js loop', 600, times(large, LOOP, 'flood', MATCHER))
  atLeast('10,000 prefixes, IPv6 flood, × faster than the ipaddr.js loop', 150, times(large, LOOP, 'flood6', MATCHER))

  const { bytes } = await answerChecks({ list: 'real', subjects: [MATCHER, VERDICT], traffic: REAL })
  for (const traffic of REAL) atMost(`${traffic}, bytes of the matcher`, 0, bytes[lane(MATCHER, traffic)]!)
  atMost('senders, bytes of the verdict', 0, bytes[lane(VERDICT, 'senders')]!)
  atMost('mapped senders, bytes of the verdict', 0, bytes[lane(VERDICT, 'mapped')]!)
  // A sender that is remembered, with the policies that rejected it, is half of it; the measure varies by 60 bytes.
  atMost('flood, bytes of the verdict', 760, bytes[lane(VERDICT, 'flood')]!)
}

async function checkClientIp(): Promise<void> {
  const timings = await timeGroup({ group: 'ordinary', rounds: 7, seed: 1 })
  const hostile = await timeGroup({ group: 'hostile', rounds: 2, seed: 1 })
  const lead = (from: Timings, name: string) =>
    ratio(from[clientLane(FASTIFY_PROXY_ADDR, name)]!, from[clientLane(OURS, name)]!).median
  atLeast('1 hop, × faster than @fastify/proxy-addr', 7, lead(timings, '1 hop'))
  atLeast('3 hops, × faster than @fastify/proxy-addr', 18, lead(timings, '3 hops'))
  atLeast('20 hops, × faster than @fastify/proxy-addr', 24, lead(timings, '20 hops'))
  atLeast('200 hops, × faster than @fastify/proxy-addr', 65, lead(timings, '200 hops'))
  atLeast('16 KB of strangers, × faster than @fastify/proxy-addr', 200, lead(hostile, 'forged strangers'))
  atLeast('16 KB of trusted hops, × faster than @fastify/proxy-addr', 300, lead(hostile, 'forged trusted hops'))
  atLeast('16 KB of white space, × faster than @fastify/proxy-addr', 30, lead(hostile, 'endless white space'))
  const { bytes } = await answerGroups(['ordinary'])
  for (const name of ['1 hop', '3 hops', '20 hops', '200 hops']) {
    atMost(`${name}, bytes of the client IP`, 72, bytes[clientLane(OURS, name)]!)
  }
}

async function checkEndToEnd(): Promise<void> {
  const plan = { base: 'fastify', others: ['ours'], log: false, rounds: 60, requests: 320 } as const
  atMost('an accepted request, × no guard', 1.15, await compareOnce({ ...plan, traffic: 'listed' }, 'ours'))
  atMost(
    'a rejected request, × serving it without a guard',
    // With a captured stack it is 1.3.
    1.2,
    await compareOnce({ ...plan, traffic: 'strangers' }, 'ours')
  )
}
