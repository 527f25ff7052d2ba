import { machineLine, versionsLine } from '../report/machine.js'
import { digits, percent, table } from '../report/markdown.js'
import { type Target, target, targetTable } from '../report/targets.js'
import { APPS, type AppName } from './apps.js'
import { type Cost, compare, type Plan } from './comparisons.js'
import type { Traffic } from './requests.js'

const IN_PROCESS = new URL('in-process.js', import.meta.url)
const LOOPBACK = new URL('loopback.js', import.meta.url)

/** Measures whole requests, and gives back the section of the document. */
export async function endToEndPart(): Promise<string> {
  // Express and Hono would otherwise log and explain errors.
  process.env.NODE_ENV = 'production'
  const inProcess: Cost[] = []
  for (const plan of inProcessPlans()) inProcess.push(...(await compare(IN_PROCESS, plan, 3)))
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
    targetTable(endToEndTargets(inProcess)),
    '### In process',
    "On fake sockets: Node's HTTP parser and server without the kernel.",
    costTable(inProcess),
    '### Over loopback',
    "From a second process, over kept-alive connections: processor time of the server's process, the kernel's part included.",
    costTable(loopback)
  ].join('\n\n')
}

function inProcessPlans(): Plan[] {
  const plan = (base: AppName, others: AppName[], traffic: Traffic, log = false, rounds = 120): Plan => ({
    base,
    others,
    traffic,
    log,
    rounds
  })
  return [
    plan('fastify', ['empty-hook', 'ours'], 'listed', false, 250),
    plan('fastify', ['request-ip', 'ours-request-ip', 'ipaddr', 'block-list'], 'listed'),
    plan('express', ['express-ipfilter'], 'listed', false, 12),
    plan('hono', ['hono-ip-restriction'], 'listed'),
    plan('fastify', ['empty-hook', 'ours'], 'strangers', false, 250),
    plan('fastify', ['ours-request-ip', 'ipaddr', 'block-list'], 'strangers'),
    plan('express', ['express-ipfilter'], 'strangers', false, 12),
    plan('hono', ['hono-ip-restriction'], 'strangers'),
    plan('fastify', ['ours', 'ipaddr'], 'listed', true),
    plan('fastify', ['ours', 'ipaddr'], 'strangers', true)
  ]
}

function loopbackPlans(): Plan[] {
  const plan = (base: AppName, others: AppName[], traffic: Traffic, log = false, rounds = 14): Plan => ({
    base,
    others,
    traffic,
    log,
    rounds
  })
  return [
    plan('fastify', ['ours', 'ours-request-ip', 'ipaddr', 'block-list'], 'listed'),
    plan('fastify', ['ours', 'ours-request-ip', 'ipaddr', 'block-list'], 'strangers'),
    plan('fastify', ['ours', 'ipaddr'], 'listed', true),
    plan('fastify', ['ours', 'ipaddr'], 'strangers', true),
    plan('express', ['express-ipfilter'], 'listed', false, 4),
    plan('hono', ['hono-ip-restriction'], 'listed')
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
    `${percent(times.median - 1)} (${percent(times.low - 1)} to ${percent(times.high - 1)})`,
    `${kept} of ${kept + discarded}`
  ])
  const header = ['', 'from', 'log', 'answer', 'no guard, µs', 'µs', 'more than no guard', 'runs kept']
  return table(header, rows)
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
    target('accepted, own resolver: above an empty hook', '≤', 0.3, ours.aboveEmptyHook / 1000, microseconds),
    target('rejected, not logged: of the cost of serving', '≤', 0.75, rejecting.times.median, (n) => `${digits(n)} ×`)
  ]
}
