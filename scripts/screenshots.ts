/**
 * Takes the pictures of the documentation with the real Chromium: `npm run screenshots`. The requests and the time are made up and
 * always the same, so a picture changes only where the page does.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser } from 'playwright-core'
import { FleetSums } from '../src/fleet/report.js'
import { loadGuard } from '../src/guard/create-guard.js'
import type { FleetStatus } from '../src/guard/fleet.js'
import { accessTo } from '../src/guard/guard.js'
import type { GuardOptions } from '../src/guard/options.js'
import { HOUR, MINUTE, SECOND } from '../src/lib/time.js'
import { readLines } from '../src/report/read-lines.js'
import { ReportBuilder } from '../src/report/report.js'
import { MARKS } from '../src/report/unwrap.js'
import { StatusPage } from '../src/status-page/page.js'
import { reportPage } from '../src/status-page/report-page.js'
import { launch } from '../test/status-page/chromium.js'
import { TestClock } from '../test/support/clock.js'

const FOLDER = 'docs/images'
/** The largest picture that the repository takes, in bytes. */
const MAX_SIZE = 150_000

/** Addresses of DC-01 that are published, and senders that are not. */
const [CONNECTOR, PUSH, SYNC] = ['44.205.83.206', '34.224.89.62', '52.6.248.125']
const STRANGERS = ['185.199.108.153', '45.33.32.156', '193.0.6.139']
const NEW_ADDRESS = '18.232.10.77'
const SECRET = { authorization: 'Bearer …' }

/** Two days of requests, then a page on them. */
async function pageAfterTwoDays(options: Partial<GuardOptions>, lastHour: (judge: Judge) => void): Promise<StatusPage> {
  const clock = new TestClock('2026-11-23T09:05:00Z')
  const guard = await loadGuard({ dataCenters: 'DC-01', ...options }, { clock })
  const page = new StatusPage(guard, clock)
  const judge: Judge = (peer, pattern, headers = {}) => {
    const [policy, request] = [pattern === '/segments' ? SEGMENT_SYNC : undefined, { peer, headers }]
    const verdict = guard.decide(policy, request, request, pattern)
    if (!verdict.verified) guard.noteOutcome(verdict, 'reject', undefined)
  }
  guard.addRoute(SEGMENT_SYNC)
  for (let minute = 0; minute < 2 * 24 * 60; minute++) {
    const hour = Math.floor(minute / 60) % 24
    // More by day than by night, and never quite even.
    const calls = hour < 14 ? 2 + ((minute * 7) % 5) : (minute * 3) % 2
    for (let i = 0; i < calls; i++) judge(CONNECTOR, '/moengage/connector')
    if (minute % 60 === 30) judge(SYNC, '/segments')
    if (minute % 45 === 0) judge(STRANGERS[minute % 3]!, '/moengage/connector')
    clock.pass(MINUTE)
  }
  lastHour(judge)
  clock.pass(2 * MINUTE)
  return page
}

type Judge = (peer: string, pattern: string, headers?: Record<string, string>) => void

const SEGMENT_SYNC = { channels: 'segment-sync' } as const

const fine = () => pageAfterTwoDays({}, (judge) => judge(PUSH, '/moengage/connector'))
const aged = () =>
  pageAfterTwoDays({ carriesSecret: ({ headers }) => 'authorization' in (headers as object) }, (judge) => {
    for (let i = 0; i < 12; i++) judge(NEW_ADDRESS, '/moengage/connector', SECRET)
    judge(CONNECTOR, '/moengage/connector', SECRET)
  })

/** Four servers behind a balancer, one of which was killed and one of which was deployed an hour too early. */
async function fleet(): Promise<StatusPage> {
  const clock = new TestClock('2026-11-25T09:05:00Z')
  const now = clock.now()
  const guard = await loadGuard({ dataCenters: 'DC-01' }, { clock })
  const { revision } = guard.status()
  const version = now - 2 * HOUR
  const sums = new FleetSums()
  const servers = [
    { host: 'web-1', ago: 2 * SECOND, version, verified: 5210, lastError: null },
    { host: 'web-2', ago: 4 * SECOND, version, verified: 5187, lastError: null },
    { host: 'web-3', ago: 47 * MINUTE, version, verified: 4012, lastError: null },
    {
      host: 'web-4',
      ago: SECOND,
      version: version - HOUR,
      verified: 1790,
      lastError: 'It is signed with another key.'
    },
    { host: 'web-0', ago: 3 * HOUR, version: version - HOUR, verified: 9050, lastError: null, isClosed: true }
  ]
  for (const [i, { host, ago, isClosed = false, ...own }] of servers.entries()) {
    const senders = [STRANGERS[0]!, STRANGERS[i % 3]!].map((clientIp, n) => ({
      clientIp,
      count: 3 * i + n + 1,
      firstSeen: now - 20 * HOUR + i * HOUR,
      lastSeen: now - ago - n * MINUTE,
      reasons: { 'not-listed': 3 * i + n + 1 },
      withSecret: {},
      routes: ['/moengage/connector'],
      listedFor: [],
      removed: null,
      isOwn: false
    }))
    const call = { dataCenter: 'DC-01', channels: ['connector'], route: '/moengage/connector' } as const
    const lastVerified = [{ ...call, at: now - ago - 20 * SECOND }]
    const rejected = { 'not-listed': 6 * i + 3 }
    const outcomes = { tagged: 0, turnedAway: 6 * i + 3 }
    const times = { started: now - 20 * HOUR, reported: now - ago, every: 5000 }
    sums.add(
      { id: host, host, pid: 7, ...times, isClosed, revision, rejected, ...outcomes, lastVerified, senders, ...own },
      ago
    )
  }
  const status: FleetStatus = {
    name: 'webhooks',
    self: 'web-1',
    isSigned: false,
    trustsReports: true,
    ...sums.result(version),
    overrides: [],
    lastError: null,
    warnings: []
  }
  const shown = { ...accessTo(() => guard), fleet: { status: async () => status } }
  for (let i = 0; i < 9; i++) guard.judge({ peer: CONNECTOR, headers: {} })
  return new StatusPage(shown, clock)
}

interface Picture {
  readonly name: string
  readonly width: number
  readonly height: number
  readonly colorScheme: 'light' | 'dark'
}

async function take(browser: Browser, url: string, { name, width, height, colorScheme }: Picture): Promise<void> {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin'
  })
  const page = await context.newPage()
  await page.goto(url)
  await page.waitForLoadState('networkidle')
  const path = join(FOLDER, `${name}.png`)
  await page.screenshot({ path })
  await context.close()
  const { size } = statSync(path)
  console.log(`${path}: ${Math.round(size / 1000)} kB`)
  if (size > MAX_SIZE) throw new Error(`${path} is larger than ${MAX_SIZE / 1000} kB.`)
}

async function serve(page: StatusPage): Promise<{ url: string; close: () => void }> {
  const server = createServer(async (request, response) => {
    const { status, headers, body } = await page.respond(new URL(`${request.url}`, 'http://x').searchParams)
    response.writeHead(status, headers).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/status`,
    close: () => {
      page.close()
      server.close()
      server.closeAllConnections()
    }
  }
}

/** A log in mode "tag", as a server would write it. */
function log(): string {
  const line = (minute: number, own: object) =>
    JSON.stringify({
      level: 40,
      time: Date.parse('2026-11-23T09:00:00Z') + minute * MINUTE,
      pid: 7,
      hostname: 'web-1',
      moengage: {
        event: 'moengage.rejected',
        mode: 'tag',
        listedFor: [],
        suppressed: 0,
        route: '/segments',
        policy: { dataCenters: ['DC-01'] },
        ...own
      },
      msg: 'would be rejected'
    })
  const genuine = {
    reason: 'other-data-center',
    clientIp: '3.6.251.95',
    listedFor: [{ dataCenter: 'DC-03', channels: ['segment-sync'] }]
  }
  return Array.from({ length: 90 }, (_, i) =>
    line(i * 13, i % 3 === 0 ? { reason: 'not-listed', clientIp: STRANGERS[i % 2] } : genuine)
  ).join('\n')
}

async function reportUrl(folder: string): Promise<string> {
  const builder = new ReportBuilder()
  builder.file('app.log')
  await readLines(
    (async function* () {
      yield Buffer.from(log())
    })(),
    builder,
    MARKS
  )
  const file = join(folder, 'report.html')
  writeFileSync(file, reportPage(builder.report(20), new Date(Date.parse('2026-11-23T09:00:00Z') + 48 * HOUR)))
  return `${pathToFileURL(file)}`
}

mkdirSync(FOLDER, { recursive: true })
const folder = mkdtempSync(join(tmpdir(), 'moengage-allowlist-'))
const browser = await launch()
const [good, bad, many] = [await serve(await fine()), await serve(await aged()), await serve(await fleet())]
try {
  await take(browser, bad.url, { name: 'status-page', width: 1280, height: 720, colorScheme: 'light' })
  await take(browser, `${good.url}#time`, { name: 'status-page-dark', width: 1100, height: 760, colorScheme: 'dark' })
  await take(browser, good.url, { name: 'status-page-phone', width: 390, height: 844, colorScheme: 'light' })
  await take(browser, `${many.url}#fleet`, {
    name: 'status-page-fleet',
    width: 1280,
    height: 640,
    colorScheme: 'light'
  })
  await take(browser, await reportUrl(folder), { name: 'report', width: 1100, height: 760, colorScheme: 'light' })
} finally {
  await browser.close()
  good.close()
  bad.close()
  many.close()
  rmSync(folder, { recursive: true, force: true })
}
