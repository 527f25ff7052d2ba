import fc from 'fast-check'
import t from 'tap'
import { createGuard, type GuardOptions, loadGuard, type PolicyOptions, type Snapshot } from '../../src/core.js'
import { diagnose } from '../../src/senders/diagnosis.js'
import type { Sender } from '../../src/senders/senders.js'
import { REASONS, type Reason } from '../../src/verdict/verdict.js'
import { LISTED, LISTED_IN, STRANGER, UNLISTED } from '../support/addresses.js'
import { runs } from '../support/properties.js'

const XFF = { 'x-forwarded-for': LISTED }

/** Judges `peer × times` and returns the diagnosis. */
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
      diagnosisOf({}, [
        [UNLISTED, 1204],
        ['10.9.9.9', 5]
      ]),
      [
        /^No request was ever verified by MoEngage's list: are static IPs enabled for this channel\?.* may be among those from addresses that are not listed \(1,204 rejections\)\.$/
      ]
    ],
    [
      'nothing but by an allow list of one’s own, and by an override',
      (() => {
        const guard = createGuard({ dataCenters: 'DC-01', allow: ['9.9.9.9'] })
        guard.override({ allow: ['9.9.9.8'], for: '1h' })
        for (const peer of ['9.9.9.9', '9.9.9.9', '9.9.9.8', UNLISTED]) guard.judge({ peer, headers: {} })
        t.match(guard.status(), { verified: 3, verifiedByAllow: 3 })
        return guard.status().diagnosis
      })(),
      [/^No request was ever verified by MoEngage's list: are static IPs enabled .* \(1 rejection\)\.$/]
    ],
    [
      'a proxy that is not configured',
      diagnosisOf({}, [['10.0.3.7', 1204, undefined, XFF]]),
      [
        /^All 1,204 rejections came from 10\.0\.3\.7, which seems to be your own proxy: add it to clientIp\.trustedProxies: pass clientIp: \{ trustedProxies: \['10\.0\.3\.7'\] \}, if the proxy writes x-forwarded-for itself\. Do so only if it stands in front of your server: what a trusted proxy writes is believed\.$/
      ]
    ],
    [
      'a provider that appends the address of a balancer',
      diagnosisOf({}, [['35.191.0.5', 2, undefined, { 'x-forwarded-for': `${LISTED},34.120.1.1` }]]),
      [
        /^All 2 .* pass clientIp: \{ trustedProxies: \['google-cloud-load-balancing'\] \}\. List the address of your balancer beside it, which appends itself, as docs\/recipes\/google-cloud\.md shows\. Do so only if /
      ]
    ],
    [
      'the same, taken without that address',
      diagnosisOf({ clientIp: { trustedProxies: ['google-cloud-load-balancing'] } }, [
        ['35.191.0.5', 2, undefined, { 'x-forwarded-for': `${LISTED},34.120.1.1` }]
      ]),
      [/^No request was ever verified by MoEngage's list, and 2 rejections came from .* or that may be of a proxy, or /]
    ],
    [
      'the same beside a stranger who is named alone',
      diagnosisOf({ clientIp: { trustedProxies: ['google-cloud-load-balancing'] } }, [
        ['35.191.0.5', 2, undefined, { 'x-forwarded-for': `${LISTED},34.120.1.1` }],
        [UNLISTED, 1]
      ]),
      [/^No request was ever verified by MoEngage's list: are static IPs enabled .* \(1 rejection\)\.$/]
    ],
    [
      'nothing but what cannot be of MoEngage',
      diagnosisOf({ clientIp: { trustedProxies: ['10.0.1.0/24'] } }, [
        ['10.9.9.9', 2],
        ['127.0.0.1', 1],
        ['10.0.1.5', 1],
        [STRANGER, 1],
        ['104.16.0.9', 1]
      ]),
      [
        /^No request was ever verified by MoEngage's list, and 6 rejections came from addresses of your own network or of a provider [^?]*\.$/
      ]
    ],
    [
      'proxies, with what the option of each kind has to hold',
      [
        ...diagnosisOf({ clientIp: { trustedProxies: ['10.0.1.0/24'] } }, [
          ['10.0.3.7', 3, undefined, XFF],
          ['104.16.0.9', 2, undefined, XFF],
          ['10.0.1.5', 1, undefined, { 'x-real-ip': LISTED }]
        ]),
        ...diagnosisOf({ clientIp: ({ peer }) => peer as string }, [['10.0.3.7', 1, undefined, XFF]])
      ],
      [
        /^3 of 6 .* own proxy: add '10\.0\.3\.7' to clientIp\.trustedProxies, if the proxy writes x-forwarded-for itself\. Do so only if it stands in front of your server: /,
        /^2 of 6 .* own proxy: add 'cloudflare' to clientIp\.trustedProxies\. Do so only if /,
        /^1 of 6 .* own proxy: set clientIp\.header to the one header that it writes itself by its configuration; one that it passes on, anybody can write\.$/,
        /^The only .* own proxy: let your clientIp function read the header of that proxy\. Do so only if /
      ]
    ],
    [
      'a proxy whose address is redacted',
      diagnosisOf({ redactAddress: 'truncate' }, [['172.18.0.1', 1, undefined, XFF]]),
      [
        /^The only rejection came from 172\.18\.0\.0\/24, which seems to be your own proxy: follow the hint in the log\.$/
      ]
    ],
    [
      'a proxy that hides the senders, and one stranger',
      diagnosisOf({}, [
        ['10.0.3.7', 1, undefined, XFF],
        ['9.9.9.9', 1]
      ]),
      [
        /^1 of 2 rejections came from 10\.0\.3\.7/,
        /^No request was ever verified by MoEngage's list: .* not listed \(1 rejection\)\.$/
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
      'another data center, which the guard accepts and two of its routes do not',
      diagnosisOf({ dataCenters: ['DC-01', 'DC-03'] }, [
        [LISTED_IN['DC-03'], 12, { dataCenters: 'DC-01' }],
        [LISTED, 1, { dataCenters: 'DC-03' }]
      ]),
      [
        /^3\.6\.251\.95 \(12 rejections\) is MoEngage DC-03, which you accept, but a route accepts DC-01 only: if your workspace is in DC-03, widen that route with dataCenters: \['DC-01', 'DC-03'\]\.$/,
        /^52\.6\.248\.125 \(1 rejection\) is MoEngage DC-01, which you accept, but a route accepts DC-03 only: .* widen that route with dataCenters: \['DC-01', 'DC-03'\]\.$/
      ]
    ],
    [
      'another data center, on a route and by the guard',
      diagnosisOf({}, [
        [LISTED_IN['DC-03'], 1, { dataCenters: 'DC-02' }],
        [LISTED_IN['DC-03'], 1]
      ]),
      [
        / is MoEngage DC-03, you accept DC-01, a route accepts DC-02 only: if your workspace is in DC-03, add it to dataCenters in each of them\.$/
      ]
    ],
    [
      'another data center, with redacted addresses that share what was accepted',
      diagnosisOf({ dataCenters: ['DC-01', 'DC-03'], redactAddress: 'truncate' }, [
        ['3.6.251.95', 1, { dataCenters: 'DC-01' }],
        ['3.6.251.95', 1, { dataCenters: 'DC-02' }]
      ]),
      [/^3\.6\.251\.0\/24 .* but a route accepts DC-01 only, a route accepts DC-02 only: .* in each of them\.$/]
    ],
    [
      'another channel',
      diagnosisOf({}, [[LISTED, 1, { channels: 'catalog' }]]),
      [/^52\.6\.248\.125 \(1 rejection\) is MoEngage's for DC-01 connector, .*channels: 'all' on that route\.$/]
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

t.test('the routes that reject an address are named, at most eight of them', async (t) => {
  const guard = createGuard({ dataCenters: ['DC-01', 'DC-03'] })
  const judge = (peer: string, policy: PolicyOptions, pattern: string) =>
    guard.decide(policy, undefined, { peer, headers: {} }, pattern)
  for (let i = 0; i < 12; i++) judge(LISTED_IN['DC-03'], { dataCenters: 'DC-01' }, `/${i % 10}`)
  for (const pattern of ['/a', '/b']) judge(LISTED, { channels: 'catalog' }, pattern)
  judge(LISTED, { dataCenters: 'DC-03' }, '/c')
  t.match(guard.status().diagnosis, [
    / but routes \/0, \/1, \/2, and 5 more accept DC-01 only: .*, widen those routes with dataCenters: \['DC-01', 'DC-03'\]\.$/,
    / but route \/c accepts DC-03 only: .*, widen that route with dataCenters: \['DC-01', 'DC-03'\]\.$/,
    / consider channels: 'all' on routes \/a, \/b\.$/
  ])
})

t.test('a denied address of MoEngage is said to be denied by what denies it, as long as that is so', async (t) => {
  const guard = createGuard({ dataCenters: 'DC-01' })
  const first = guard.override({ deny: [LISTED] })
  guard.judge({ peer: LISTED, headers: {} })
  const sentence = (deniedBy: string) => `${LISTED} (1 rejection) is ${deniedBy}, and MoEngage publishes it for DC-01.`
  guard.override({ allow: ['9.9.9.9'] })
  t.strictSame(guard.status().diagnosis, [sentence(`denied by the override ${first.id}`)])
  const second = guard.override({ deny: [LISTED] })
  t.strictSame(guard.status().diagnosis, [sentence('denied by an override')])
  for (const { id } of [first, second]) guard.removeOverride(id)
  t.strictSame(guard.status().diagnosis, [])
  const own = createGuard({ dataCenters: 'DC-01', deny: ['8.8.8.8'] })
  const { id } = own.override({ deny: [LISTED] })
  own.judge({ peer: LISTED, headers: {} })
  t.strictSame(own.status().diagnosis, [sentence(`in your deny list or denied by the override ${id}`)])
})

const NONE = Object.fromEntries(REASONS.map((reason) => [reason, 0])) as Record<Reason, number>

/** A sender with four rejections for one reason. */
const senderOf = (reason: Reason, about: Partial<Sender> = {}): Sender => ({
  clientIp: LISTED,
  count: 4,
  firstSeen: 0,
  lastSeen: 0,
  reasons: { [reason]: 4 },
  withSecret: {},
  routes: [],
  listedFor: [],
  removed: null,
  isOwn: false,
  ...about
})

t.test('what only a framework or a log can find is named too', async (t) => {
  const sender = senderOf('other-channel', {
    routes: ['/segments', '/feeds'],
    listedFor: [{ dataCenter: 'DC-01', channels: ['connector'] }]
  })
  const diagnosis = diagnose({
    hasVerified: null,
    rejected: { ...NONE, 'permissive-trust': 3, 'stale-list': 2, 'other-channel': 4, 'not-listed': 1 },
    own: 0,
    dataCenters: ['DC-01'],
    senders: ({ reason }) => (reason === 'other-channel' ? [sender] : []),
    isCrowd: true
  })
  t.match(diagnosis, [
    /^3 of 10 rejections: the framework believes everybody's forwarded header/,
    /^52\.6\.248\.125 \(4 rejections on \/segments, \/feeds\)/,
    /^2 of 10 rejections: the list is stale/
  ])
  t.equal(diagnosis.length, 3, 'where the number of verified requests is unknown, no sentence says that none was')
})

t.test('a sentence has no holes where nothing is known of the address or of what is accepted', async (t) => {
  const listed = [{ dataCenter: 'DC-01', channels: ['sms'] }]
  const table: [reason: Reason, about: Partial<Sender>, dataCenters: string[], expected: string][] = [
    [
      'other-data-center',
      {},
      ['DC-02'],
      `${LISTED} (4 rejections) was MoEngage's, of a data center that you do not accept: compare dataCenters with the data center of your workspace.`
    ],
    [
      'other-data-center',
      { listedFor: listed },
      [],
      `${LISTED} (4 rejections) is MoEngage DC-01, which you do not accept: if your workspace is in DC-01, add it to dataCenters.`
    ],
    [
      'other-data-center',
      { listedFor: listed },
      ['DC-01', 'DC-02'],
      `${LISTED} (4 rejections) is MoEngage DC-01, which you accept, but a route does not: if your workspace is in DC-01, add it to the dataCenters of that route.`
    ],
    [
      'other-data-center',
      { listedFor: listed },
      ['DC-02'],
      `${LISTED} (4 rejections) is MoEngage DC-01, you accept DC-02: if your workspace is in DC-01, add it to dataCenters.`
    ],
    [
      'other-channel',
      {},
      [],
      `${LISTED} (4 rejections) is MoEngage's for channels that you do not accept: MoEngage may use any address of a data center, so consider channels: 'all'.`
    ],
    [
      'proxy-not-configured',
      { clientIp: '10.0.3.7' },
      [],
      'All 4 rejections came from 10.0.3.7, which seems to be your own proxy: follow the hint in the log.'
    ],
    [
      'denied',
      { listedFor: listed },
      [],
      `${LISTED} (4 rejections) is in your deny list or denied by an override, and MoEngage publishes it for DC-01.`
    ],
    [
      'not-listed',
      { clientIp: '52.6.248.0/24', removed: '2026-11-23' },
      [],
      "52.6.248.0/24 (4 rejections) was removed from MoEngage's page, as seen on 2026-11-23: ask MoEngage's support whether it still calls from there, and accept the address until it does not. redactAddress hides it here; onVerdict receives it in full."
    ],
    [
      'other-channel',
      { listedFor: [...listed, { dataCenter: 'DC-02', channels: [] }] },
      [],
      `${LISTED} (4 rejections) is MoEngage's for DC-01 sms; DC-02: MoEngage may use any address of a data center, so consider channels: 'all'.`
    ]
  ]
  for (const [reason, about, dataCenters, expected] of table) {
    const diagnosis = diagnose({
      hasVerified: null,
      rejected: { ...NONE, [reason]: 4 },
      own: 0,
      dataCenters,
      senders: (query) => (query.reason === reason ? [senderOf(reason, about)] : []),
      isCrowd: false
    })
    t.strictSame(diagnosis, [expected])
  }
})

t.test('whatever is missing, no sentence has a hole', async () => {
  const some = <T>(values: T[]) => fc.subarray(values)
  const senders = fc.record({
    listedFor: fc.array(
      fc.record({ dataCenter: fc.constantFrom('DC-01', 'DC-02'), channels: some(['sms', 'streams']) }),
      { maxLength: 2 }
    ),
    routes: some(['/a', '/b']),
    removed: fc.constantFrom(null, '2026-11-23'),
    clientIp: fc.constantFrom(LISTED, '52.6.248.0/24')
  })
  fc.assert(
    fc.property(
      senders,
      some(['DC-01', 'DC-03']),
      fc.constantFrom(null, false, true),
      fc.constantFrom(0, 4),
      (about, dataCenters, hasVerified, own) => {
        const rejected = Object.fromEntries(REASONS.map((reason) => [reason, 4])) as Record<Reason, number>
        const diagnosis = diagnose({
          hasVerified,
          rejected,
          own,
          dataCenters,
          isCrowd: true,
          senders: ({ reason, only }) => {
            const sender = senderOf(reason!, about)
            const isAsked =
              only === undefined || (only === 'removed' ? sender.removed !== null : sender.listedFor.length > 0)
            return isAsked ? [sender] : []
          }
        })
        for (const sentence of diagnosis) {
          if (/ [,:;.]|, *[:;.]| {2}|\(\)|undefined|null|NaN/.test(sentence)) throw new Error(sentence)
          if (!/^[A-Z0-9].*\.$/.test(sentence)) throw new Error(sentence)
        }
      }
    ),
    runs(100)
  )
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
