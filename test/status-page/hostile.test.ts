import fc from 'fast-check'
import { html } from 'ghtml'
import t from 'tap'
import { directory } from '../../src/core.js'
import { FleetSums, type Report, readReport } from '../../src/fleet/report.js'
import type { GuardMetrics, GuardStatus, Sender } from '../../src/index.js'
import type { FleetStatus } from '../../src/redis.js'
import { ReportBuilder } from '../../src/report/report.js'
import type { ShownGuard } from '../../src/status-page/facts.js'
import { StatusPage } from '../../src/status-page/page.js'
import { reportPage } from '../../src/status-page/report-page.js'
import { noCounts, REASONS } from '../../src/verdict/verdict.js'
import { line } from '../report/lines.js'
import { type ReadPage, readPage } from './pages.js'

/** Texts that try to leave the place that they are written in. */
const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</style><script>alert(1)</script>',
  '</code></td></tr></table><h1>owned</h1>',
  '--><svg onload=alert(1)>',
  '&lt;script&gt;',
  'javascript:alert(1)',
  '\u202e\u0000\u0007\ufeff',
  ']]><![CDATA['
]

const hostile = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.tuple(fc.constantFrom(...HOSTILE), fc.string({ unit: 'grapheme' })).map(([start, end]) => `${start}${end}`),
  fc.string({ unit: 'binary' }).map((text) => `<i>${text}`)
)

/** A sender all of whose texts are hostile. */
const sender = fc.record({
  clientIp: hostile,
  count: fc.nat(),
  firstSeen: fc.nat({ max: 2e12 }),
  lastSeen: fc.nat({ max: 2e12 }),
  reasons: fc.constantFrom(...REASONS).map((reason) => ({ [reason]: 1 })),
  withSecret: fc.constantFrom({}, { 'not-listed': 1 }),
  routes: fc.array(hostile, { maxLength: 3 }),
  listedFor: fc.array(fc.record({ dataCenter: hostile, channels: fc.array(hostile, { maxLength: 6 }) }), {
    maxLength: 2
  }),
  removed: fc.option(hostile)
}) as unknown as fc.Arbitrary<Sender>

/** What somebody who can write to the store of a fleet reports in the name of a replica. */
const report = fc.record({
  id: hostile,
  host: hostile,
  pid: fc.nat(),
  started: fc.nat(),
  reported: fc.maxSafeNat().map((time) => time % 8.64e15),
  isClosed: fc.boolean(),
  every: fc.constant(1000),
  version: fc.option(fc.nat()),
  revision: hostile,
  lastError: fc.option(hostile),
  verified: fc.maxSafeNat(),
  rejected: fc.constantFrom(...REASONS).map((reason) => ({ [reason]: 1 })),
  lastVerified: fc.array(
    fc.record({
      at: fc.nat(),
      dataCenter: hostile,
      channels: fc.array(fc.oneof(hostile, fc.constant('constructor')), { maxLength: 6 }),
      route: fc.option(hostile)
    }),
    { maxLength: 3 }
  ),
  senders: fc.array(sender, { maxLength: 3 })
}) as unknown as fc.Arbitrary<Report>

/** A fleet as it is read of the store, with hostile names. */
const fleet = fc
  .record({
    reports: fc.array(fc.tuple(report, fc.nat({ max: 10_000 })), { maxLength: 4 }),
    texts: fc.array(hostile, { minLength: 3, maxLength: 3 }),
    lastError: fc.option(hostile)
  })
  .map(({ reports, texts: [name, self, warning], lastError }): FleetStatus => {
    const sums = new FleetSums()
    for (const [report, age] of reports) sums.add(readReport(JSON.stringify(report))!, age)
    const status = {
      ...sums.result(7),
      name: name!,
      self: self!,
      isSigned: false,
      trustsReports: true,
      overrides: [],
      warnings: [warning!]
    }
    return { ...status, lastError }
  })

/** A guard whose status, metrics, senders, explanations and fleet are hostile wherever they are text. */
const guard = fc
  .record({
    texts: fc.array(hostile, { minLength: 12, maxLength: 12 }),
    senders: fc.array(sender, { maxLength: 4 }),
    fleet: fc.option(fleet)
  })
  .map(({ texts, senders, fleet }): ShownGuard & { reported: FleetStatus | null } => {
    const text = (i: number) => texts[i]!
    const lastVerified = [
      { at: Date.now(), dataCenter: text(0) as 'DC-01', channels: ['sms' as const], route: text(1) },
      { at: 1, dataCenter: 'DC-01' as const, channels: ['sms' as const, 'push' as const], route: text(2) }
    ]
    const rejected = { ...noCounts(), 'not-listed': senders.length }
    const provenance = { page: text(4), revision: text(3), retrieved: text(5) }
    const status: GuardStatus = {
      revision: text(3),
      provenance,
      age: 0,
      tagged: 0,
      turnedAway: senders.length,
      entries: 1,
      pendingRemovals: [{ prefix: text(6), dataCenter: 'DC-01', channel: 'sms', until: new Date(0).toISOString() }],
      source: text(7),
      verified: 0,
      rejected,
      open: rejected,
      lastVerified,
      senders: senders.length,
      diagnosis: [text(8)],
      evidence: [
        { kind: 'unresolved', sentence: text(8), count: 1, addresses: [], paste: null, ticket: null },
        { kind: 'list-aged', sentence: text(8), count: 1, addresses: [text(1)], paste: text(2), ticket: text(3) }
      ],
      rejectedWithSecret: noCounts(),
      verifiedByAllow: 0,
      verifiedWithoutSecret: 0,
      watch: {
        source: text(4),
        checkedAt: 1,
        revision: text(5),
        since: 1,
        error: text(6),
        differences: {
          same: false,
          before: provenance,
          after: provenance,
          added: [{ prefix: text(7), grants: [] }],
          removed: [],
          moved: [],
          cells: [],
          unknown: [{ dataCenter: text(8), name: text(9), from: null, to: 'NA' }]
        }
      },
      overrides: [
        {
          id: text(5),
          until: new Date(0).toISOString(),
          note: null,
          allow: [],
          deny: [],
          mode: null,
          since: new Date(0).toISOString(),
          origin: 'fleet'
        },
        {
          id: text(1),
          until: null,
          note: text(2),
          allow: [text(3)],
          deny: [text(4)],
          mode: 'tag',
          since: new Date(0).toISOString(),
          origin: 'local'
        }
      ],
      loadedAt: 1,
      lastError: text(9),
      warnings: [{ code: 'MOE_WARN_STALE', path: text(10), value: text(10), message: text(11), fix: text(10) }]
    }
    const policy = { dataCenters: [text(0) as 'DC-01'], channels: ['sms' as const] }
    const metrics: GuardMetrics = {
      unlistedWithSecret: 0,
      ownWithSecret: 0,
      secretChecksFailed: 0,
      watch: null,
      verdicts: [{ ...policy, verified: 0, rejected, rejectedWithSecret: noCounts(), verifiedWithoutSecret: 0 }],
      hits: [{ prefix: text(6), dataCenter: text(0) as 'DC-01', count: 0 }],
      lastVerified,
      reloads: { succeeded: 0, failed: 0 },
      sourceFailing: false,
      cache: { hits: 0, misses: 0 },
      senders: senders.length,
      entries: 1,
      retrieved: text(5),
      checked: text(5),
      age: 0
    }
    return {
      reported: fleet,
      fleet: fleet === null ? undefined : { status: async () => fleet },
      status: () => status,
      metrics: () => metrics,
      senders: () => senders,
      directory: () => directory,
      explainAll: () => [
        { ...policy, text: text(8), verdict: { verified: false } as never, isTrustedProxy: false, entries: [] },
        { ...policy, text: text(9), verdict: { verified: true } as never, isTrustedProxy: true, entries: [] }
      ]
    }
  })

/** Elements, attributes and addresses that our pages have. */
const ELEMENTS = new Set(
  (
    'html head meta title link script style body a header h1 h2 h3 fieldset legend label input main div p span ul li dl dt dd section ' +
    'table caption thead tbody tr th td code strong br small details summary svg rect line form button select option pre time footer'
  ).split(' ')
)

/** What a page must not have, whatever its texts are: elements, handlers or addresses that are not ours. */
function strangers({ elements }: ReadPage): string[] {
  return elements.flatMap(({ name, attributes }) => [
    ...(ELEMENTS.has(name) ? [] : [name]),
    ...Object.keys(attributes).filter((attribute) => /^on|^style$|^srcdoc$/.test(attribute)),
    ...['src', 'href', 'action', 'xlink:href'].flatMap((attribute) => {
      const url = attributes[attribute]
      return url === undefined || /^(?:\?script=[0-9a-f]{16}|#[a-z]+|data:image\/svg\+xml,[^"]*)$/.test(url)
        ? []
        : [url]
    }),
    ...(name === 'script' && attributes.src === undefined ? ['an inline script'] : [])
  ])
}

/** How many elements of a kind there are. */
const count = ({ elements }: ReadPage, wanted: string) => elements.filter(({ name }) => name === wanted).length

/** What cannot be seen, or turns the direction of a text. */
const UNSEEN = /[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/u

/** A text as a page shows it: what cannot be seen becomes a blank, and white space single ones. */
const asShown = (text: string) =>
  text.replaceAll(new RegExp(UNSEEN, 'gu'), ' ').replaceAll('\ufffd', '').replaceAll(/\s+/g, ' ').trim()

t.test('whatever a client, a source or a reader sent is text on the page', async () => {
  await fc.assert(
    fc.asyncProperty(guard, hostile, hostile, async (guard, asked, format) => {
      const page = new StatusPage(guard)
      try {
        for (const ip of [asked, '52.6.248.125']) {
          const query = new URLSearchParams({ ip, format, accepts: asked })
          const { body } = await page.respond(query)
          if (UNSEEN.test(body)) throw new Error('the page holds what cannot be seen')
          const read = readPage(body)
          if (strangers(read).length > 0) throw new Error(strangers(read).join(', '))
          if (count(read, 'script') !== 1 || count(read, 'style') !== 1 || count(read, 'h1') !== 1) {
            throw new Error('there is another script, style or heading')
          }
          const shown = asShown(read.text)
          const { reported } = guard
          const texts = [
            ...guard.senders().map(({ clientIp }) => clientIp),
            ...(reported === null ? [] : [reported.lastError ?? reported.name]),
            ...(reported === null || reported.lastError !== null
              ? []
              : [
                  ...reported.warnings,
                  ...reported.replicas.flatMap(({ host, revision, lastError }) => [host, revision, lastError ?? '']),
                  ...reported.senders.map(({ clientIp }) => clientIp),
                  ...reported.lastVerified.flatMap(({ route, channels }) => [route ?? '', ...channels])
                ])
          ]
          for (const text of texts) {
            if (!shown.includes(asShown(text))) throw new Error(`${JSON.stringify(text)} is not on the page`)
          }
        }
      } finally {
        page.close()
      }
    }),
    { numRuns: 40 }
  )
})

t.test('whatever a log holds is text in the report', async () => {
  fc.assert(
    fc.property(hostile, hostile, hostile, hostile, (clientIp, route, dataCenter, garbage) => {
      const builder = new ReportBuilder()
      builder.file(garbage)
      const listedFor = [{ dataCenter, channels: [route] }]
      builder.line(
        line({ reason: 'other-data-center', clientIp, route, listedFor, policy: { dataCenters: [dataCenter] } })
      )
      builder.line(`moengage.rejected ${garbage}`)
      builder.damaged(garbage)
      const report = builder.report(20)
      if (report.rejected.total !== 1) throw new Error('the line is not read')
      const page = reportPage(report, new Date(0))
      if (UNSEEN.test(page)) throw new Error('the page holds what cannot be seen')
      const read = readPage(page)
      if (strangers(read).length > 0) throw new Error(strangers(read).join(', '))
      if (count(read, 'script') !== 0 || count(read, 'style') !== 1 || count(read, 'h1') !== 1) {
        throw new Error('there is a script, or another style or heading')
      }
    }),
    { numRuns: 60 }
  )
})

t.test('the check finds what a template lets through', async (t) => {
  for (const text of HOSTILE.slice(0, 6)) {
    const read = readPage(html`<p>!${text}</p><p title='!${text}'></p><style>!${text}</style>`)
    t.ok(strangers(read).length > 0 || count(read, 'h1') > 0, text)
  }
})
