import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import t from 'tap'
import { parse } from 'yaml'
import { createGuard, directory } from '../src/core.js'
import { registerMetrics } from '../src/prometheus.js'
import { LISTED, STRANGER } from './support/addresses.js'
import { start } from './support/example.js'
import { freePort, send } from './support/http.js'

const FOLDER = 'docs/monitoring'

interface Panel {
  readonly id: number
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets: readonly { readonly expr: string }[]
}

const rules: { groups: { rules: { alert: string; expr: string }[] }[] } = parse(
  readFileSync(`${FOLDER}/alerts.yml`, 'utf8')
)
const alerts = rules.groups.flatMap((group) => group.rules)
const dashboard: { panels: Panel[]; uid: string } = JSON.parse(readFileSync(`${FOLDER}/dashboard.json`, 'utf8'))

/** The queries of the dashboard, as Grafana sends them for all jobs. */
const queries = dashboard.panels.flatMap(({ title, targets }) =>
  targets.map(({ expr }) => ({ title, query: expr.replaceAll('$job', '.+').replaceAll('$__rate_interval', '1m') }))
)

const isRequired = process.env.REAL_PROXIES === 'required'

function missing(): string | false {
  if (isRequired || ['prometheus', 'promtool'].every((command) => spawnSync(command, ['--version']).status === 0))
    return false
  const reason = 'tests with the real prometheus left out: it cannot be run here'
  console.error(`# ${reason}`)
  return reason
}

t.test('alerts and dashboard name only metrics that exist', async (t) => {
  const registry = new Registry()
  const guard = createGuard({ dataCenters: 'DC-01' })
  t.teardown(() => guard.close())
  guard.judge({ peer: LISTED, headers: {} })
  registerMetrics(guard, { registry })
  const names = new Set((await registry.getMetricsAsJSON()).map(({ name }) => name))
  const used = [...alerts.map(({ expr }) => expr), ...queries.map(({ query }) => query)].flatMap((query) =>
    [...query.matchAll(/\bmoengage_\w+/g)].map(([name]) => name)
  )
  t.ok(new Set(used).size > 10, 'they are found')
  for (const name of used) t.ok(names.has(name), name)
})

t.test('every alert is explained, and panels do not overlap', async (t) => {
  const page = readFileSync(`${FOLDER}/README.md`, 'utf8')
  for (const { alert } of alerts) t.ok(page.includes(`\`${alert}\``), alert)
  const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`)
  )
  t.equal(new Set(cells).size, cells.length)
  t.ok(dashboard.panels.every(({ gridPos: { x, w } }) => x + w <= 24))
  t.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length)
})

t.test('Prometheus', { skip: missing(), timeout: 120_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'moengage-allowlist-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))

  await t.test('takes the alerts and the configuration, and the tests of the alerts pass', async (t) => {
    const commands = [
      ['check', 'rules', 'alerts.yml'],
      ['check', 'config', 'prometheus.yml'],
      ['test', 'rules', 'alerts.test.yml']
    ]
    for (const args of commands) {
      const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: FOLDER, encoding: 'utf8' })
      t.equal(status, 0, `${args.join(' ')}: ${stdout}${stderr}`)
    }
  })

  await t.test('scrapes the example server, and answers every query of the dashboard and every alert', async (t) => {
    const example = await start(t, 'webhook-server')
    for (const clientIp of [LISTED, LISTED, STRANGER]) {
      await send(example, { method: 'POST', path: '/segments', headers: { 'x-forwarded-for': clientIp } })
    }
    const config = readFileSync(`${FOLDER}/prometheus.yml`, 'utf8')
    cpSync(`${FOLDER}/alerts.yml`, join(folder, 'alerts.yml'))
    writeFileSync(
      join(folder, 'prometheus.yml'),
      config.replace('127.0.0.1:3000', `127.0.0.1:${example.port}`).replace('15s', '1s')
    )
    const port = await freePort()
    const child = spawn(
      'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`
      ],
      { stdio: 'ignore' }
    )
    const ended = new Promise((resolve) => child.on('exit', resolve))
    t.teardown(async () => {
      child.kill()
      await ended
    })
    const query = async (text: string) => {
      const answer = await send({ port }, { path: `/api/v1/query?query=${encodeURIComponent(text)}` }).catch(
        () => undefined
      )
      if (answer === undefined) return undefined
      const { status, data } = JSON.parse(answer.body.startsWith('{') ? answer.body : '{}')
      return status === 'success'
        ? (data.result as { metric: Record<string, string>; value: [number, string] }[])
        : undefined
    }
    // Two samples, so that there is a rate.
    const isScraped = async () => Number((await query('count_over_time(moengage_up[1m])'))?.[0]?.value[1] ?? 0) >= 2
    for (let i = 0; i < 300 && !(await isScraped()); i++) await new Promise((resolve) => setTimeout(resolve, 100))
    t.ok(await isScraped(), 'the example is scraped')
    for (const { title, query: text } of queries) t.ok((await query(text))?.length, `${title}: ${text}`)
    for (const { alert, expr } of alerts) t.ok(await query(expr), `${alert}: ${expr}`)
    const [verified] = (await query('sum(moengage_verdicts_total{result="verified"})'))!
    t.equal(verified?.value[1], '2')
    t.equal((await query('sum(moengage_list_entries)'))![0]!.value[1], `${directory.entries.length}`)
  })
})
