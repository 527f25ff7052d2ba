import { machineLine, versionsLine } from '../report/machine.js'
import { difference, digits, percent, table } from '../report/markdown.js'
import { type Target, target, targetTable } from '../report/targets.js'
import { APPS } from './apps.js'
import { type Cost, compare, type Plan } from './comparisons.js'
import { compareFresh, type FreshCost, type FreshPlan, freshTable, freshTargets, REQUESTS, WARM_UP } from './fresh.js'

/** Measures whole requests, and returns the section of the document. */
export async function endToEndPart(): Promise<string> {
  // Express and Hono would otherwise log and explain errors.
  process.env.NODE_ENV = 'production'
  const inProcess: Cost[] = []
  for (const plan of inProcessPlans()) inProcess.push(...(await compare(plan, 2)))
  const logging: Cost[] = []
  for (const plan of LOGGING) logging.push(...(await compare(plan, 2)))
  const fresh: FreshCost[] = []
  for (const plan of FRESH) fresh.push(...(await compareFresh(plan, PROCESSES)))
  return [
    '## End to end',
    'Server time of a whole request: a POST with a small JSON body to a webhook route, behind one proxy that names the ' +
      'client in X-Forwarded-For. Each application is measured beside the same application without a guard, in alternating ' +
      'slices; a run is discarded when two identical copies of the latter differ by more than 2 %. Strangers come from ' +
      'addresses that were never seen, and the application without a guard serves them.',
    `${machineLine()} ${versionsLine(['fastify', 'express', 'express-ipfilter', '@fastify/rate-limit', 'hono', '@hono/node-server', 'ipaddr.js'])}`,
    '### Targets',
    targetTable([...freshTargets(fresh), ...loggingTargets(logging)]),
    '### In process',
    "On fake sockets: Node's HTTP parser and server without the kernel.",
    costTable(inProcess),
    '### Log on against log off',
    'The guard with the log of `examples/webhook-server.ts` (Fastify leaves the lines of rejected requests to the guard), in ' +
      "process, beside the same with `logLevel: 'silent'`, and beside an application that has no logger at all.",
    loggingTable(logging),
    '### Over loopback, in fresh processes',
    `From a second process, over kept-alive connections: each application in ${PROCESSES} processes of its own, which answer in turns, ${digits(REQUESTS)} requests ` +
      `at a time; processor time a request, the kernel's part included, after ${digits(WARM_UP)} requests; the last column is about these, while ` +
      'V8 compiles. The brackets are the quartiles of the processes.',
    freshTable(fresh)
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

/** What a flood costs is the first; the others add what Fastify's own logger costs, and what everybody logs. */
const LOGGING: readonly Plan[] = [
  { ...FASTIFY, base: 'ours-silent', others: ['ours-logging'], traffic: 'strangers' },
  { ...FASTIFY, base: 'ours', others: ['ours-logging'], traffic: 'strangers' },
  { ...FASTIFY, base: 'ours-silent', others: ['ours-logging'], traffic: 'listed' }
]

/** Processes for each application. */
const PROCESSES = 8

const FRESH: readonly FreshPlan[] = [
  { traffic: 'listed', apps: ['fastify', 'empty-hook', 'ours', 'ours-request-ip', 'ipaddr', 'block-list'] },
  { traffic: 'listed', apps: ['express', 'express-empty', 'express-reading', 'express-ours'] },
  { traffic: 'listed', apps: ['http', 'http-empty', 'http-reading', 'http-ours'] },
  { traffic: 'listed', apps: ['hono', 'hono-empty', 'hono-reading', 'hono-ours'] },
  { traffic: 'strangers', apps: ['fastify', 'ours', 'ours-on-reject', 'thrown', 'prepared', 'rate-limit'] }
]

function costTable(costs: readonly Cost[]): string {
  const rows = costs.map(({ app, comparison, status, nanoseconds, baseNanoseconds, times, kept, discarded }) => [
    APPS[app].title,
    comparison.traffic,
    comparison.log ? 'on' : 'off',
    kept === 0 ? 'all runs discarded' : String(status),
    digits(baseNanoseconds / 1000),
    digits(nanoseconds / 1000),
    kept === 0 ? '–' : difference(times),
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
    kept === 0 ? '–' : difference(times),
    `${kept} of ${kept + discarded}`
  ])
  return table(['from', 'log off', 'off, µs', 'on, µs', 'more than off', 'runs kept'], rows)
}

/** What is asked of a flood. */
function loggingTargets(costs: readonly Cost[]): Target[] {
  const flood = costs.find(({ comparison }) => comparison.traffic === 'strangers' && comparison.base === 'ours-silent')!
  return [target("rejected, logged: more than with logLevel: 'silent'", '≤', 0.05, flood.times.median - 1, percent)]
}
