import { machineLine, versionsLine } from '../report/machine.js'
import { digits, percent, table } from '../report/markdown.js'
import { type Target, target, targetTable } from '../report/targets.js'
import { APPS, type AppName } from './apps.js'
import { type Cost, compare, IN_PROCESS, LOOPBACK, type Plan } from './comparisons.js'
import type { Traffic } from './requests.js'

/** Measures whole requests, and gives back the section of the document. */
export async function endToEndPart(): Promise<string> {
  // Express and Hono would otherwise log and explain errors.
  process.env.NODE_ENV = 'production'
  const inProcess: Cost[] = []
  for (const plan of inProcessPlans()) inProcess.push(...(await compare(IN_PROCESS, plan, 2)))
  const logging: Cost[] = []
  for (const plan of LOGGING) logging.push(...(await compare(IN_PROCESS, plan, 2)))
  const loopback: Cost[] = []
  for (const plan of loopbackPlans()) loopback.push(...(await compare(LOOPBACK, plan, 1)))
  return [
    '## End to end',
    'Server time of a whole request: a POST with a small JSON body to a webhook route, behind one proxy that names the ' +
      'client in X-Forwarded-For. Each application is measured beside the same application without a guard, in alternating ' +
      'slices; a run is discarded when two identical copies of the latter differ by more than 2 %. Strangers come from ' +
      'addresses that were never seen, and the application without a guard serves them.',
    `${machineLine()} ${versionsLine(['fastify', 'express', 'express-ipfilter', 'hono', '@hono/node-server', 'ipaddr.js'])}`,
    '### Targets',
    targetTable([...endToEndTargets(inProcess), ...loggingTargets(logging)]),
    '### In process',
    "On fake sockets: Node's HTTP parser and server without the kernel.",
    costTable(inProcess),
    '### Log on against log off',
    'The guard with the log of `examples/webhook-server.ts` (Fastify leaves the lines of rejected requests to the guard), in ' +
      "process, beside the same with `logLevel: 'silent'`, and beside an application that has no logger at all.",
    loggingTable(logging),
    '### Over loopback',
    "From a second process, over kept-alive connections: processor time of the server's process, the kernel's part included.",
    costTable(loopback)
  ].join('\n\n')
}

const FASTIFY = { base: 'fastify', log: false, rounds: 90, requests: 320 } as const
const EXPRESS = { base: 'express', log: false, rounds: 60, requests: 32 } as const
const HONO = { base: 'hono', log: false, rounds: 90, requests: 320 } as const

function inProcessPlans(): Plan[] {
  return [
    { ...FASTIFY, others: ['empty-hook', 'ours'], traffic: 'listed', rounds: 150 },
    { ...FASTIFY, others: ['request-ip', 'ours-request-ip', 'ipaddr', 'block-list'], traffic: 'listed' },
    { ...EXPRESS, others: ['express-ipfilter'], traffic: 'listed' },
    { ...HONO, others: ['hono-ip-restriction'], traffic: 'listed' },
    {
      ...FASTIFY,
      others: ['empty-hook', 'ours', 'ours-on-reject', 'thrown', 'prepared'],
      traffic: 'strangers',
      rounds: 150
    },
    { ...FASTIFY, others: ['ours-request-ip', 'ipaddr', 'block-list'], traffic: 'strangers' },
    { ...EXPRESS, others: ['express-ipfilter'], traffic: 'strangers' },
    { ...HONO, others: ['hono-ip-restriction'], traffic: 'strangers' },
    { ...FASTIFY, others: ['ours', 'ipaddr'], traffic: 'listed', log: true },
    { ...FASTIFY, others: ['ours', 'ipaddr'], traffic: 'strangers', log: true }
  ]
}

/** What issue 6 asks about is the first; the others add what Fastify's own logger costs, and what everybody logs. */
const LOGGING: readonly Plan[] = [
  { ...FASTIFY, base: 'ours-silent', others: ['ours-logging'], traffic: 'strangers' },
  { ...FASTIFY, base: 'ours', others: ['ours-logging'], traffic: 'strangers' },
  { ...FASTIFY, base: 'ours-silent', others: ['ours-logging'], traffic: 'listed' }
]

function loopbackPlans(): Plan[] {
  const fastify = { ...FASTIFY, rounds: 30, requests: 300 }
  return [
    { ...fastify, others: ['ours', 'ours-request-ip', 'ipaddr', 'block-list'], traffic: 'listed' },
    { ...fastify, others: ['ours', 'ours-request-ip', 'ipaddr', 'block-list'], traffic: 'strangers' },
    { ...fastify, others: ['ours', 'ipaddr'], traffic: 'listed', log: true },
    { ...fastify, others: ['ours', 'ipaddr'], traffic: 'strangers', log: true },
    { ...EXPRESS, rounds: 30, requests: 100, others: ['express-ipfilter'], traffic: 'listed' },
    { ...HONO, rounds: 30, requests: 300, others: ['hono-ip-restriction'], traffic: 'listed' }
  ]
}

function costTable(costs: readonly Cost[]): string {
  const rows = costs.map(({ app, comparison, status, nanoseconds, baseNanoseconds, times, kept, discarded }) => [
    APPS[app].title,
    comparison.traffic,
    comparison.log ? 'on' : 'off',
    kept === 0 ? 'all runs discarded' : String(status),
    digits(baseNanoseconds / 1000),
    digits(nanoseconds / 1000),
    kept === 0 ? '–' : `${percent(times.median - 1)} (${percent(times.low - 1)} to ${percent(times.high - 1)})`,
    `${kept} of ${kept + discarded}`
  ])
  const header = ['', 'from', 'log', 'answer', 'no guard, µs', 'µs', 'more than no guard', 'runs kept']
  return table(header, rows)
}

function loggingTable(costs: readonly Cost[]): string {
  const rows = costs.map(({ comparison, nanoseconds, baseNanoseconds, times, kept, discarded }) => [
    comparison.traffic,
    comparison.base === 'ours' ? 'no logger' : 'the guard silent',
    digits(baseNanoseconds / 1000),
    digits(nanoseconds / 1000),
    kept === 0 ? '–' : `${percent(times.median - 1)} (${percent(times.low - 1)} to ${percent(times.high - 1)})`,
    `${kept} of ${kept + discarded}`
  ])
  return table(['from', 'log off', 'off, µs', 'on, µs', 'more than off', 'runs kept'], rows)
}

/** What issue 6 asks of a flood. */
function loggingTargets(costs: readonly Cost[]): Target[] {
  const flood = costs.find(({ comparison }) => comparison.traffic === 'strangers' && comparison.base === 'ours-silent')!
  return [target("rejected, logged: more than with logLevel: 'silent'", '≤', 0.05, flood.times.median - 1, percent)]
}

/** What issue 4 asks of whole requests. */
export function endToEndTargets(costs: readonly Cost[]): Target[] {
  const cost = (app: AppName, traffic: Traffic) =>
    costs.find(({ app: name, comparison }) => name === app && comparison.traffic === traffic && !comparison.log)!
  const ours = cost('ours', 'listed')
  const rejecting = cost('ours', 'strangers')
  const microseconds = (value: number) => `${digits(value)} µs`
  return [
    target('accepted, own resolver: more than no guard', '≤', 0.03, ours.times.median - 1, percent),
    target(
      'accepted, own resolver: above an empty hook',
      '≤',
      0.3,
      ours.aboveEmptyHook / 1000,
      microseconds,
      'the route’s options, which Fastify makes anew whenever they are asked for, are a good part of it; the rest is judging and counting.'
    ),
    target(
      'rejected, not logged: of the cost of serving',
      '≤',
      0.75,
      rejecting.times.median,
      (n) => `${digits(n)} ×`,
      'a rejection is thrown, so that setErrorHandler, onError hooks and @fastify/auth see it; Fastify’s own way from there ' +
        'to the answer is the floor of throwing in the table. The rest is the judging and the ledger.'
    )
  ]
}
