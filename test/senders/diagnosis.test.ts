import t from 'tap'
import { createGuard, type GuardOptions, loadGuard, type Snapshot } from '../../src/core.js'
import { diagnose } from '../../src/senders/diagnosis.js'
import { LISTED, LISTED_IN, STRANGER } from '../support/addresses.js'

const XFF = { 'x-forwarded-for': LISTED }

/** Judges `peer × times` and gives back the diagnosis. */
function diagnosisOf(
  options: Partial<GuardOptions>,
  requests: [peer: string, times: number, policy?: object | undefined, headers?: object][]
): readonly string[] {
  const guard = createGuard({ dataCenters: 'DC-01', ...options })
  for (const [peer, times, policy, headers = {}] of requests) {
    for (let i = 0; i < times; i++) guard.judge({ peer, headers: headers as Record<string, string> }, policy)
  }
  return guard.status().diagnosis
}

t.test('likely causes are named in one sentence each, with what to do', async (t) => {
  const table: [what: string, diagnosis: readonly string[], expected: RegExp[]][] = [
    ['nothing was rejected', diagnosisOf({}, [[LISTED, 3]]), []],
    [
      'strangers besides genuine senders',
      diagnosisOf({}, [
        [LISTED, 1],
        [STRANGER, 9]
      ]),
      []
    ],
    [
      'nothing was ever verified',
      diagnosisOf({}, [[STRANGER, 1204]]),
      [
        /^No request was ever verified: are static IPs enabled for this channel\?.* may be among those from addresses that are not listed \(1,204 rejections\)\.$/
      ]
    ],
    [
      'a proxy that is not configured',
      diagnosisOf({}, [['10.0.3.7', 1204, undefined, XFF]]),
      [
        /^All 1,204 rejections came from 10\.0\.3\.7, which seems to be your own proxy: add it to clientIp\.trustedProxies/
      ]
    ],
    [
      'a proxy among others',
      diagnosisOf({}, [
        [LISTED, 1],
        ['10.0.3.7', 2, undefined, XFF],
        [STRANGER, 2]
      ]),
      [/^2 of 4 rejections came from 10\.0\.3\.7/]
    ],
    [
      'another data center',
      diagnosisOf({ dataCenters: 'DC-02' }, [[LISTED, 12]]),
      [
        /^52\.6\.248\.125 \(12 rejections\) is MoEngage DC-01, you accept DC-02: if your workspace is in DC-01, add it to dataCenters\.$/
      ]
    ],
    [
      'another channel',
      diagnosisOf({}, [[LISTED, 1, { channels: 'catalog' }]]),
      [/^52\.6\.248\.125 \(1 rejection\) is MoEngage's for DC-01 connector, .*channels: 'all'\.$/]
    ],
    ['no peer', diagnosisOf({}, [['', 1]]), [/^The only rejection had no client IP that can be relied on/]],
    [
      'an address of MoEngage that is denied',
      diagnosisOf({ deny: [LISTED, STRANGER] }, [
        [LISTED, 2],
        [STRANGER, 2]
      ]),
      [/^52\.6\.248\.125 \(2 rejections\) is in your deny list, and MoEngage publishes it for DC-01\.$/]
    ]
  ]
  for (const [what, diagnosis, expected] of table) {
    t.equal(diagnosis.length, expected.length, `${what}: ${diagnosis}`)
    for (const [i, sentence] of expected.entries()) t.match(diagnosis[i], sentence, what)
  }
})

t.test('what only glue or a log can find is named too', async (t) => {
  const none = {
    'not-listed': 0,
    'other-data-center': 0,
    'other-channel': 0,
    'stale-list': 0,
    denied: 0,
    unresolved: 0,
    'proxy-not-configured': 0,
    'permissive-trust': 0
  }
  const sender = {
    clientIp: LISTED,
    count: 4,
    countError: 0,
    firstSeen: 0,
    lastSeen: 0,
    reasons: { 'other-channel': 4 },
    routes: ['/segments', '/feeds'],
    listedFor: [{ dataCenter: 'DC-01', channels: ['connector'] }],
    removed: null
  }
  const diagnosis = diagnose({
    verified: null,
    rejected: { ...none, 'permissive-trust': 3, 'stale-list': 2, 'other-channel': 4, 'not-listed': 1 },
    dataCenters: ['DC-01'],
    senders: ({ reason }) => (reason === 'other-channel' ? [sender] : []),
    isCrowd: true
  })
  t.match(diagnosis, [
    /^3 of 10 rejections: the framework believes everybody's forwarded header/,
    /^52\.6\.248\.125 \(4 rejections on \/segments, \/feeds\)/,
    /^2 of 10 rejections: the list is stale/
  ])
  t.equal(diagnosis.length, 3, 'where nobody knows how many were verified, none is said to be')
})

t.test('a flood is called one, a crowd of curious people is not', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01', cacheSize: 100 })
  guard.judge({ peer: LISTED, headers: {} })
  const judge = (from: number, to: number) => {
    for (let i = from; i < to; i++) guard.judge({ peer: `198.51.${i >> 8}.${i & 255}`, headers: {} })
  }
  judge(0, 9_999)
  t.strictSame(guard.status().diagnosis, [])
  judge(9_999, 10_000)
  t.match(guard.status().diagnosis, [/^10,000 rejections are of more senders than are remembered.* a flood/])
  t.equal(guard.status().diagnosis.length, 1)
})

t.test('an address that a reload removed is named while it still calls, until it is back', async (t) => {
  let addresses = ['9.9.9.9', '8.8.8.8', '2606:4700::1']
  const load = (): Snapshot => ({
    provenance: { page: 'a test', revision: 'r', retrieved: '2026-11-23' },
    rows: [{ dataCenter: 'DC-01', channel: 'connector', addresses }]
  })
  const guard = await loadGuard({
    dataCenters: 'DC-01',
    gracePeriod: 0,
    confirm: ['shrunk'],
    source: { name: 'test', load }
  })
  const judge = () => ['9.9.9.9', '8.8.8.8', '2606:4700::1'].map((peer) => guard.judge({ peer, headers: {} }).verified)
  t.strictSame(judge(), [true, true, true])
  addresses = ['8.8.8.8']
  await guard.reload()
  t.strictSame(judge(), [false, true, false])
  const day = new Date().toISOString().slice(0, 10)
  t.strictSame(
    guard
      .status()
      .diagnosis.map((sentence) => sentence.replace(/:(?= ask).*/, ''))
      .sort(),
    ['2606:4700::1', '9.9.9.9'].map((ip) => `${ip} (1 rejection) was removed from MoEngage's page, as seen on ${day}`)
  )
  t.match(guard.senders(), [{ removed: day }, { removed: day }])
  addresses = ['9.9.9.9', '8.8.8.8']
  await guard.reload()
  t.strictSame(judge(), [true, true, false])
  t.match(guard.status().diagnosis, [/^2606:4700::1 \(2 rejections\) was removed/])
})

t.test('senders that are one when redacted are listed as one', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01', deny: [LISTED_IN['DC-03']], redactAddress: 'truncate' })
  for (const peer of [
    STRANGER,
    STRANGER,
    '198.51.100.8',
    '198.51.100.8',
    LISTED_IN['DC-03'],
    LISTED_IN['DC-03'],
    '3.6.251.9'
  ]) {
    guard.judge({ peer, headers: {} })
  }
  t.match(guard.senders(), [
    { clientIp: '198.51.100.0/24', count: 4, reasons: { 'not-listed': 4 }, listedFor: [], routes: [] },
    {
      clientIp: '3.6.251.0/24',
      count: 3,
      reasons: { 'not-listed': 1, denied: 2 },
      listedFor: [{ dataCenter: 'DC-03' }],
      removed: null
    }
  ])
  t.notMatch(JSON.stringify([guard.senders(), guard.status()]), /198\.51\.100\.[78]|3\.6\.251\.9/)
})
