import t from 'tap'
import { directory, PageError, type Problem } from '../../src/core.js'
import { Directory } from '../../src/directory/directory.js'
import { formatSnapshot } from '../../src/directory/snapshot.js'
import { type AboutPage, importPage } from '../../src/help-page/import-page.js'
import { about, bundled, current, DERIVED, htmlPage, mdxPage, page, sample, textCopy } from './pages.js'

const campaigns = { derivedFrom: ['connector', 'sms', 'whatsapp', 'email', 'push'] }

/** The error that a page is refused with. */
function refused(text: string, more: Partial<AboutPage> = {}): PageError {
  try {
    importPage(text, { ...about, ...more })
  } catch (error) {
    if (error instanceof PageError) return error
    throw error
  }
  throw new Error(`${text.slice(0, 300)} was accepted`)
}

/** The rows of a page, each as `DC-01 sms: 198.51.100.7`. */
function rows(text: string): string[] {
  const { snapshot } = importPage(text, about)
  return [
    ...snapshot.rows.map((row) => `${row.dataCenter} ${row.channel}: ${shown(row.addresses)}`),
    ...(snapshot.unknown ?? []).map((row) => `unknown ${row.dataCenter} ${row.name}: ${shown(row.addresses)}`)
  ]
}

const shown = (cell: unknown) => (Array.isArray(cell) ? cell.join(' ') : JSON.stringify(cell).replaceAll('"', ''))

/** The warnings but for those of rows that the small pages of these tests lack. */
const warnings = (text: string) =>
  importPage(text, about).warnings.filter(({ message }) => !message.includes('which the bundled snapshot has'))

const lines = (problems: readonly Problem[]) => problems.map(({ message }) => message)

t.test('the current page gives the bundled rows, in every layout it is published in', async (t) => {
  const inOneCell = current.map((section) => ({
    ...section,
    rows: section.rows.flatMap((row) => {
      if (row.ips !== 'derived') return row
      return row.dataCenter === 'DC-01' ? { ...row, dataCenter: 'All data centers (DC-01 - DC-06)' } : []
    })
  }))
  const mdx = mdxPage(current)
  const layouts: [layout: string, text: string][] = [
    ['MDX', mdx],
    ['MDX with one row for all data centers', mdxPage(inOneCell)],
    [
      'MDX with empty cells below a sentence',
      mdx.replaceAll(DERIVED, (text, at) => (at === mdx.indexOf(text) ? text : ''))
    ],
    ['MDX with Windows line ends', mdx.replaceAll('\n', '\r\n')],
    ['MDX with a byte order mark and frontmatter', `\ufeff---\ntitle: "IPs"\ndescription: "x | y"\n---\n\n${mdx}`],
    ['HTML with spans', htmlPage(current)],
    ['HTML with one row for all data centers', htmlPage(inOneCell)],
    [
      'a part of HTML',
      `<!-- saved -->\n<div class="article">\n\n${htmlPage(current).replace(/^.*<body>|<\/body>.*$/gs, '')}</div>`
    ],
    [
      'HTML with attributes and inline tags',
      htmlPage(current)
        .replaceAll('<td>', '<td style="width: 3em" data-x="a > b"><span class="wysiwyg">')
        .replaceAll('</td>', '</span></td>')
    ],
    ['lists of lines', mdxPage(current, { ips: (ips) => ips.join('<br />') })],
    ['lists with commas', mdxPage(current, { ips: (ips) => ips.join(', ') })],
    ['code', mdxPage(current, { ips: (ips) => ips.map((ip) => `\`${ip}\``).join(' ') })],
    ['bold names', mdxPage(current, { name: (name) => `**${name}**`, dataCenter: (name) => `**${name}**` })],
    ['another word for NA', mdxPage(current, { na: 'N/A' })],
    ['a dash for NA', htmlPage(current, { na: '–' })]
  ]
  const revisions = new Set<string>()
  for (const [layout, text] of layouts) {
    const { snapshot, warnings } = importPage(text, about)
    t.strictSame(snapshot.rows, bundled.rows, layout)
    t.strictSame(snapshot.notes, bundled.notes, `${layout}: the notes that still hold are kept`)
    t.strictSame(warnings, [], layout)
    t.notOk('unknown' in snapshot, layout)
    revisions.add(snapshot.provenance.revision)
  }
  t.equal(revisions.size, 1, 'the same meaning has the same revision')
  t.match([...revisions][0], /^[\da-f]{12}$/)
})

t.test('an earlier revision of the page gives what it said then', async (t) => {
  const { snapshot, warnings } = importPage(sample, { ...about, revision: '0be9a6f' })
  const expected = bundled.rows
    .filter((row) => row.dataCenter !== 'DC-101')
    .map((row) =>
      row.channel === 'file-segment' && row.dataCenter === 'DC-01'
        ? { ...row, addresses: ['184.72.243.80', '34.218.145.185'] }
        : row
    )
  t.strictSame(snapshot.rows, expected)
  t.strictSame(snapshot.provenance, { ...about, revision: '0be9a6f' })
  t.notOk('notes' in snapshot, 'the note that the address is not of DC-01 does not hold for this page')
  t.strictSame(lines(warnings), ['The page has no row "File Segment API" for DC-101, which the bundled snapshot has.'])
})

t.test('the revision changes with what the page says, and with nothing else', async (t) => {
  const revision = (...rows: string[]) => importPage(page(...rows), about).snapshot.provenance.revision
  const first = revision('SMS | DC-01 | 3.6.251.95, 18.217.73.1', 'Push | DC-01 | NA')
  t.equal(revision('Push Campaigns | dc1 | -', 'SMS<br />(custom) | DC-01 | 18.217.73.1 3.6.251.95'), first)
  for (const other of [
    ['SMS | DC-01 | 3.6.251.95', 'Push | DC-01 | NA'],
    ['SMS | DC-02 | 3.6.251.95, 18.217.73.1', 'Push | DC-01 | NA'],
    ['SMS | DC-01 | 3.6.251.95, 18.217.73.1', 'Push | DC-01 | 18.217.73.1'],
    ['SMS | DC-01 | 3.6.251.95, 18.217.73.1', 'Push | DC-01 | NA', 'Voice | DC-01 | NA'],
    ['SMS | DC-01 | 3.6.251.95, 18.217.73.1', 'Push | DC-01 | NA', 'SMS | DC-07 | NA']
  ]) {
    t.not(revision(...other), first, other.join())
  }
})

t.test('a snapshot is written as the bundled one is', async (t) => {
  const text = formatSnapshot(bundled)
  const { readFileSync } = await import('node:fs')
  t.equal(text, readFileSync('src/directory/moengage.json', 'utf8'))
  const { snapshot } = importPage(
    page('SMS | DC-01 | 2001:4860::/32', 'Voice | DC-01 | NA', 'SMS | DC-07 | 3.6.251.95'),
    about
  )
  t.strictSame(JSON.parse(formatSnapshot(snapshot)), snapshot)
  t.match(formatSnapshot(snapshot), '\n    { "dataCenter": "DC-01", "name": "Voice", "addresses": "NA" },\n')
  t.equal(new Directory(JSON.parse(formatSnapshot(snapshot))).entries.length, 1)
})

t.test('the name of a row is understood by its meaning', async (t) => {
  const names: [name: string, channels: string][] = [
    ['Connector Campaigns', 'connector'],
    ['connector campaign', 'connector'],
    ['CONNECTOR', 'connector'],
    ['SMS Campaigns<br /><br /> <ul><li>Out-of-the-box connectors</li><li>Custom connectors</li></ul>', 'sms'],
    ['Email Campaigns<br />(sent via Custom API/Private ESP or using PII Fetch API/Content API)', 'email'],
    ['Email Campaigns (sent via<br />Custom API (v2) or SMTP)', 'email'],
    ['E-mail campaigns', 'email'],
    ['Data Warehouse Exports<br />For example, SFTP, Snowflake, Databricks, and so on.', 'warehouse-export'],
    ['Data Warehouse Exports For example, SFTP', 'warehouse-export'],
    ['Streams', 'streams'],
    ['Streams / Partner Exports e.g. Segment', 'streams'],
    ['Partner Exports and Streams', 'streams'],
    ['Push Campaigns*', 'push'],
    ['Push Campaigns [1]', 'push'],
    ['Push Campaigns<sup>2</sup>', 'push'],
    ['Push Campaigns[^a]', 'push'],
    ['Push&nbsp;Campaigns:', 'push'],
    ['<img src="/push.png" /> Push Campaigns', 'push'],
    ['[Push Campaigns](/push "Push")', 'push'],
    ['_Push_ **Campaigns**', 'push'],
    ['Fetch PII Token or Content API', 'content-api'],
    ['Content API', 'content-api'],
    ['Feeds &amp; Catalogs', 'catalog'],
    ['Outbound Segment Sync', 'segment-sync'],
    ['File Segment', 'file-segment'],
    ['Data Import', 'data-import'],
    ['Whats\u200bApp Campaigns', 'whatsapp'],
    ['Connector, SMS and WhatsApp Campaigns', 'connector sms whatsapp'],
    ['<ul><li>SMS Campaigns</li><li>Push Campaigns</li></ul>', 'sms push']
  ]
  for (const [name, channels] of names) {
    t.strictSame(
      rows(page(`${name} | DC-01 | 3.6.251.95`)),
      channels.split(' ').map((channel) => `DC-01 ${channel}: 3.6.251.95`),
      name
    )
  }
})

t.test('a cell that names data centers is understood by its meaning', async (t) => {
  const all = 'DC-01 DC-02 DC-03 DC-04 DC-05 DC-06 DC-101'
  const cells: [cell: string, dataCenters: string][] = [
    ['DC-01', 'DC-01'],
    ['dc 1', 'DC-01'],
    ['Data Center 1', 'DC-01'],
    ['DC-101', 'DC-101'],
    ['DC-01*', 'DC-01'],
    ['DC-01<sup>1</sup>', 'DC-01'],
    ['DC-01 (US)', 'DC-01'],
    ['<Tooltip tip="US">DC-01</Tooltip>', 'DC-01'],
    ['<Tooltip tip="dashboard-01.moengage.com">DC-01</Tooltip>', 'DC-01'],
    ['<span aria-label="Data Center DC-01">DC-01</span>', 'DC-01'],
    ['DC&#8209;01', 'DC-01'],
    ['DC–01', 'DC-01'],
    ['DC — 01', 'DC-01'],
    ['Data center −1', 'DC-01'],
    ['DC–02 – DC–04', 'DC-02 DC-03 DC-04'],
    ['DC\u200e-01\u200f', 'DC-01'],
    ['DC-01, DC-04', 'DC-01 DC-04'],
    ['DC-01 and DC-04', 'DC-01 DC-04'],
    ['DC-01 &amp; 04', 'DC-01 DC-04'],
    ['DC-01/DC-04', 'DC-01 DC-04'],
    ['DC-01<br />DC-04', 'DC-01 DC-04'],
    ['<ul><li>DC-01</li><li>DC-04</li></ul>', 'DC-01 DC-04'],
    ['DC-01 (US), DC-02 (EU)', 'DC-01 DC-02'],
    ['DC-02 - DC-04', 'DC-02 DC-03 DC-04'],
    ['DC-02 – 04', 'DC-02 DC-03 DC-04'],
    ['DC-02 to DC-04, DC-101', 'DC-02 DC-03 DC-04 DC-101'],
    ['DC-02 through DC-02', 'DC-02'],
    ['All data centers (DC-01 - DC-06)', 'DC-01 DC-02 DC-03 DC-04 DC-05 DC-06'],
    ['All (DC-01 to DC-02)', 'DC-01 DC-02'],
    ['All data centres: DC-01, DC-03', 'DC-01 DC-03'],
    ['All of the data centers', all],
    ['DC-01 - DC-02 (all data centers)', 'DC-01 DC-02'],
    ['US', ''],
    ['Mumbai', ''],
    ['DC-01 - DC-101', ''],
    ['DC-06 - DC-01', ''],
    ['All data centers except DC-05', ''],
    ['All data centers (except DC-05)', ''],
    ['All data centers (not DC-05)', ''],
    ['DC-01 (not DC-04)', ''],
    ['DC-01 (no longer used)', ''],
    ['DC-01 (until May)', ''],
    ['DC-01, retired', ''],
    ['DC-01 (DC-04)', ''],
    ['DC-01 for new workspaces', ''],
    ['DC-01, and more', ''],
    ['Region 1 - DC-03', ''],
    [',', ''],
    ['', ''],
    ['*', ''],
    ['~~DC-01~~', ''],
    ['3.6.251.95', ''],
    ['DC-10<sup>1</sup>', ''],
    ['DC-0<sup>1</sup>, DC-02', ''],
    ['dc10<sup>1</sup>', ''],
    ['DC-01 <Icon icon="x" />', ''],
    ['<Tooltip tip="until May">DC-01</Tooltip>', ''],
    ['DC-01 '.repeat(500), '']
  ]
  for (const [cell, dataCenters] of cells) {
    const text = page(`SMS | ${cell} | 3.6.251.95`)
    if (dataCenters === '') t.match(refused(text).cells[0], { column: 'Data Center' }, cell)
    else
      t.strictSame(
        rows(text),
        dataCenters.split(' ').map((name) => `${name} sms: 3.6.251.95`),
        cell
      )
  }
})

t.test('everything in a cell of addresses is read', async (t) => {
  const cells: [cell: string, addresses: string][] = [
    ['3.6.251.95', '3.6.251.95'],
    ['`3.6.251.95`', '3.6.251.95'],
    ['**3.6.251.95**', '3.6.251.95'],
    ['3.6.251.95/32', '3.6.251.95'],
    ['3.6.251.0/24', '3.6.251.0/24'],
    ['2001:0DB8::1', '2001:db8::1'],
    ['2001:db8::/32, 3.6.251.95', '2001:db8::/32 3.6.251.95'],
    ['::ffff:3.6.251.95', '3.6.251.95'],
    ['3.6.251.95 52.1.1.1', '3.6.251.95 52.1.1.1'],
    ['3.6.251.95,52.1.1.1;52.1.1.2', '3.6.251.95 52.1.1.1 52.1.1.2'],
    ['3.6.251.95, 52.1.1.1, and 52.1.1.2', '3.6.251.95 52.1.1.1 52.1.1.2'],
    ['3.6.251.95 and 52.1.1.1 &amp; 52.1.1.2', '3.6.251.95 52.1.1.1 52.1.1.2'],
    ['3.6.251.95 3.6.251.95', '3.6.251.95'],
    ['3.6.251.95,<br />52.1.1.1', '3.6.251.95 52.1.1.1'],
    ['- 3.6.251.95<br />- 52.1.1.1', '3.6.251.95 52.1.1.1'],
    ['• 3.6.251.95<br />• 52.1.1.1', '3.6.251.95 52.1.1.1'],
    ['1. 3.6.251.95<br />2) 52.1.1.1', '3.6.251.95 52.1.1.1'],
    ['<ol><li><p>3.6.251.95</p></li><li> 52.1.1.1 </li></ol>', '3.6.251.95 52.1.1.1'],
    ['<ul><li>NA</li></ul>', 'NA'],
    ['3.6.251.95*', '3.6.251.95'],
    ['3.6.251.95<sup>1</sup>, 52.1.1.1[^2]', '3.6.251.95 52.1.1.1'],
    ['3.6.251.95 (1)', '3.6.251.95'],
    ['3.6.251.95 [b], 52.1.1.1 ‡, 52.1.1.251², 52.1.1.4 ³', '3.6.251.95 52.1.1.1 52.1.1.251 52.1.1.4'],
    ['3.6.251.95 (primary)', '3.6.251.95'],
    ['\u200e3.6.251.95\u200f', '3.6.251.95'],
    ['<span style="color: red; text-decoration: none">3.6.251.95</span>', '3.6.251.95'],
    ['<span className={styles.ip}>3.6.251.95</span>', '3.6.251.95'],
    ['<ul style={{ listStyle: "none" }}><li>3.6.251.95</li></ul>', '3.6.251.95'],
    ['3.6.251.0 255.255.255.0', ''],
    ['3.6.251.0 0.0.0.255', ''],
    ['3.6.251.95 <span hidden>52.1.1.1</span>', ''],
    ['3.6.251.95 <span style="display:none">52.1.1.1</span>', ''],
    ['3.6.251.95 <span style="color: red; visibility : hidden">52.1.1.1</span>', ''],
    ['3.6.251.95 <span style={{ display: "none" }}>52.1.1.1</span>', ''],
    ['3.6.251.95 <span style="opacity: 0">52.1.1.1</span>', ''],
    ['3.6.251.95 <span style={{ fontSize: 0 }}>52.1.1.1</span>', ''],
    ['3.6.251.95 <span style="content-visibility: hidden">52.1.1.1</span>', ''],
    ['3.6.251.95 <span style="opacity:.0">52.1.1.1</span>', ''],
    ['3.6.251.95 <span style="display:/**/none">52.1.1.1</span>', ''],
    ['3.6.251.95 <span style="/* a */display:none/*">52.1.1.1</span>', ''],
    ["3.6.251.95 <span style={{ 'display': 'none' }}>52.1.1.1</span>", ''],
    ['3.6.251.95 <span style="height:0;overflow:hidden">52.1.1.1</span>', ''],
    ["3.6.251.95 <span style={{ overflowX: 'clip', maxWidth: 0 }}>52.1.1.1</span>", ''],
    ['<span style="height:0.5em;overflow:hidden">3.6.251.95</span>', '3.6.251.95'],
    ['<span style="max-width:0; overflow:hidden; text-overflow:ellipsis">3.6.251.95</span>', '3.6.251.95'],
    ["<b style={{ width: 0, overflow: 'hidden', textOverflow: 'ellipsis' }}>3.6.251.95</b>", '3.6.251.95'],
    ["<b style={{ width: 0, minWidth: '100%', overflow: 'hidden' }}>3.6.251.95</b>", '3.6.251.95'],
    ['<b style="max-height:0;min-height:1em;overflow:hidden">3.6.251.95</b>', '3.6.251.95'],
    ['<b style="height:0;padding-bottom:56%;overflow:hidden">3.6.251.95</b>', '3.6.251.95'],
    ['3.6.251.95 <b style="max-height:0;padding-top:8px;overflow:hidden">52.1.1.1</b>', ''],
    ['3.6.251.95 <b style="width:0;flex:none;overflow:hidden">52.1.1.1</b>', ''],
    ['3.6.251.95 [old]', ''],
    ['3.6.251.95 [EOL]', ''],
    ['3.6.251.95 [off]', ''],
    ['3.6.251.95 [iv]', '3.6.251.95'],
    ['<b style="flex:1;width:0;overflow:hidden">3.6.251.95</b>', '3.6.251.95'],
    ["<b style={{ flexGrow: 1, width: 0, overflow: 'hidden' }}>3.6.251.95</b>", '3.6.251.95'],
    ['3.6.251.95 <b style="flex:0;width:0;overflow:hidden">52.1.1.1</b>', ''],
    ['3.6.251.95 <b style="height:0;overflow:hidden;text-overflow:ellipsis">52.1.1.1</b>', ''],
    ['3.6.251.95 <b style="height:0;min-width:9em;overflow:hidden">52.1.1.1</b>', ''],
    ['3.6.251.95 <b style="width:0;min-width: 0px;overflow:hidden">52.1.1.1</b>', ''],
    ['<span style="min-width:0;line-height:0;width:0">3.6.251.95</span>', '3.6.251.95'],
    ['<span style="overflow:hidden;opacity:.05">3.6.251.95</span>', '3.6.251.95'],
    ['<span style="opacity: 0.5; font-size: 0.9em">3.6.251.95</span>', '3.6.251.95'],
    ['<span aria-hidden="true">•</span> 3.6.251.95', '3.6.251.95'],
    ["3.6.251.95 <span style={{ color: 'red', visibility: 'hidden' }}>52.1.1.1</span>", ''],
    ['<span style="text-decoration: line-through">3.6.251.95</span> 52.1.1.1', ''],
    ["<span style={{ textDecoration: 'line-through' }}>3.6.251.95</span> 52.1.1.1", ''],
    ['3.6.251.95&nbsp;52.1.1.1', '3.6.251.95 52.1.1.1'],
    ['3.6.251.95\u200b', '3.6.251.95'],
    ['3.6.<wbr />251.95', '3.6.251.95'],
    ['<span>3.6.251</span><span>.95</span>', '3.6.251.95'],
    ['<![CDATA[3.6.251.95]]>', '3.6.251.95'],
    ['<!-- 52.9.9.9 -->3.6.251.95', '3.6.251.95'],
    ['{/* 52.9.9.9 */}3.6.251.95', '3.6.251.95'],
    ["3.6.251.95{' '}52.1.1.1", '3.6.251.95 52.1.1.1'],
    ['<ul style={{ margin: 0 }}><li key={1}>3.6.251.95</li></ul>', '3.6.251.95'],
    ['<Tooltip tip="static">3.6.251.95</Tooltip>', '3.6.251.95'],
    ['<Tooltip tip="3.6.251.95">3.6.251.95</Tooltip>', '3.6.251.95'],
    ['<ul><li title="•">3.6.251.95</li><li title="52.1.1.1">52.1.1.1</li></ul>', '3.6.251.95 52.1.1.1'],
    ['<b title="static">3.6.251.95</b> '.repeat(200), '3.6.251.95'],
    ['<Badge icon="check" color="green">3.6.251.95</Badge>', '3.6.251.95'],
    ['3.6.251.95<svg><title>Copy</title><style>.old {}</style></svg>', '3.6.251.95'],
    ['3.6.251.95<svg><title>52.9.9.9</title></svg>', ''],
    ['<svg><title>Deprecated</title><path d="x"/></svg> 3.6.251.95', ''],
    ['<svg><g><text>No longer used</text></g></svg> 3.6.251.95', ''],
    ['<abbr title="Not applicable">NA</abbr>', 'NA'],
    ['<Tooltip tip="Not Applicable">NA</Tooltip>', 'NA'],
    ['<span aria-label="not available">NA</span>', 'NA'],
    ['3.6.251.95 <button aria-label="Copy 3.6.251.95"></button>', '3.6.251.95'],
    ['<ul aria-label="DC-01 addresses, 2 only"><li>3.6.251.95</li><li>52.1.1.1</li></ul>', '3.6.251.95 52.1.1.1'],
    ['<Tooltip headline="DC-01" tip="US 1">3.6.251.95</Tooltip>', '3.6.251.95'],
    ['<b title="not sorted">3.6.251.95</b>', '3.6.251.95'],
    ['<b title="Not used any more">3.6.251.95</b>', ''],
    [`<b title="Don't use">3.6.251.95</b>`, ''],
    ['<b title="no\u200b longer used">3.6.251.95</b>', ''],
    ['<b title="Copy 3.6.251.95 and 52.1.1.1">3.6.251.95</b>', ''],
    ['<b title="3.6.251.95"></b>', ''],
    ['52.6.248.12 <sup>5</sup>', '52.6.248.12'],
    ['52.6.248.12<sup>a</sup>', '52.6.248.12'],
    ['<sup>5</sup> 52.6.248.12', '52.6.248.12'],
    ['52.6.248.12<sup><a href="#5">5</a></sup>', '52.6.248.12'],
    ['52.6.248.12<a href="#5"><sup>5</sup></a>', '52.6.248.12'],
    ['NA', 'NA'],
    ['n/a', 'NA'],
    ['N.A.', 'NA'],
    ['Not available', 'NA'],
    ['None', 'NA'],
    ['-', 'NA'],
    ['–', 'NA'],
    ['—', 'NA'],
    ['NA*', 'NA'],
    ['', ''],
    ['&nbsp;', ''],
    ['<ul></ul>', ''],
    ['<ul><li></li></ul>', ''],
    ['<ul><li>3.6.251.95</li><li></li></ul>', ''],
    ['<ul><li></li><li>3.6.251.95</li></ul>', ''],
    ['-<br />-<br />-', ''],
    ['- [^1]', ''],
    ['-*', ''],
    ['-<br />- 3.6.251.95', ''],
    ['3.6.251.95,', ''],
    ['3.6.251.95,,52.1.1.1', ''],
    [', 3.6.251.95', ''],
    ['(1)', ''],
    ['52.6.248.', ''],
    ['52.6.248', ''],
    ['52.6.248.125.', ''],
    ['52.6.248. 125', ''],
    ['3.6.251.9552.1.1.1', ''],
    ['<span>3.6.251.95</span><span>52.1.1.1</span>', ''],
    ['3.6.251.95 1', ''],
    ['3.6.251.95<sup>52.1.1.1</sup>', ''],
    ['52.6.248.12<sup>5</sup>', ''],
    ['52.6.248.12⁵', ''],
    ['2620:fe::1⁵', ''],
    ['3.6.251.95⁸', ''],
    ['<code>52.6.248.12</code>\u200b<sub> <b>5</b><!-- x --></sub>', ''],
    ['52.1.1.1, <a href="#ips">52.6.248.12<sup>5</sup></a>', ''],
    ['2620:fe::1<sup>5</sup>', ''],
    ['3.6.251.0/2<sup>4</sup>', ''],
    ['3.6.251.95 - 3.6.251.99', ''],
    ['3.6.251.95-99', ''],
    ['3.6.251.95 to 3.6.251.99', ''],
    ['3.6.251.*', ''],
    ['3.6.251.0/*', ''],
    ['2600:1f18::*', ''],
    ['2600:1f18:*', ''],
    ['3.6.251.0 (24)', ''],
    ['3.6.251.0 [24]', ''],
    ['3.6.251.0²⁴', ''],
    ['3.6.251.95/24', ''],
    ['3.6.251.95 /32', ''],
    ['3.6.251.095', ''],
    ['3.6.251.256', ''],
    ['3.6.251.95:443', ''],
    ['sms.moengage.com', ''],
    ['NA, 3.6.251.95', ''],
    ['3.6.251.95 and more', ''],
    ['Contact support', ''],
    ['3.6.251.95 (DC-02: 52.1.1.1)', ''],
    ['3.6.251.95 (removed)', ''],
    ['3.6.251.95 (EOL)', ''],
    ['3.6.251.95 (unsupported)', ''],
    ['3.6.251.95 (migrated)', ''],
    ['3.6.251.95 (going away)', ''],
    ['3.6.251.95 (blocked)', ''],
    ['3.6.251.95 (to remove)', ''],
    ['3.6.251.95 (ask us to remove it)', ''],
    ['3.6.251.95 (do not use)', ''],
    ['<b title="Do not use">3.6.251.95</b>', ''],
    ['<b title="Blocked">3.6.251.95</b>', ''],
    ['3.6.251.95 (52.1.1.1)', ''],
    ['()', ''],
    ['~~3.6.251.95~~', ''],
    ['<s>3.6.251.95</s> 52.1.1.1', ''],
    ['<img src="/ips.png" />', ''],
    ['3.6.251.95 <img src="/ips.png" />', ''],
    ['3.6.251.95 <Icon icon="ban" />', ''],
    ['3.6.251.95 <Badge text="Deprecated" /> 52.1.1.1', ''],
    ['3.6.251.95 <Badge text="static" />', ''],
    ['3.6.251.95 <Badge color="red"> </Badge>', ''],
    ['3.6.251.95 <Badge {...old} />', ''],
    ['<Tooltip tip="no longer used">3.6.251.95</Tooltip>', ''],
    ['<Tooltip tip={"Until May"}>3.6.251.95</Tooltip>', ''],
    ['<Tooltip tip="52.1.1.1">3.6.251.95</Tooltip>', ''],
    ['<Tooltip tip="static) 52.1.1.1 (">3.6.251.95</Tooltip>', ''],
    ['<span title="deprecated">3.6.251.95</span>', ''],
    ['<b aria-label="except DC-02">3.6.251.95</b>', ''],
    ['<b data-tooltip="old">3.6.251.95</b>', ''],
    ['3.6.251.95 <svg aria-label="Retired"></svg>', ''],
    ['{ips.join()}', ''],
    ['3.6.251.95 '.repeat(2000), '']
  ]
  for (const [cell, addresses] of cells) {
    const text = page(`SMS | DC-01 | ${cell}`, 'Push | DC-01 | 18.217.73.1')
    if (addresses === '') {
      t.match(refused(text).cells, [{ table: 'IPs', row: 'SMS, DC-01', column: 'MoEngage IPs' }], cell)
    } else t.equal(rows(text)[0], `DC-01 sms: ${addresses}`, cell)
  }
})

t.test('the text of a footnote does not make a link of its mark', async (t) => {
  const text = `${page('SMS[^a] | DC-01[^1] | 3.6.251.95[^1]')}\n\n[^1]: Static\n[^a]: Also by SMS.\n`
  t.strictSame(rows(text), ['DC-01 sms: 3.6.251.95'])
  t.strictSame(rows(`${page('SMS | DC-01 | [3.6.251.95][one]')}\n\n[one]: https://example.com\n`), [
    'DC-01 sms: 3.6.251.95'
  ])
})

const CHANNEL_HEADERS = '<th>Channel</th><th>Data Center</th><th>MoEngage IPs</th>'
const PUSH = '<tr><td>Push</td><td>DC-01</td><td>18.217.73.1</td></tr>'
const SMS = '<tr><td>SMS</td><td>DC-01</td><td>3.6.251.95</td></tr>'
/** A table of HTML, below a row that is sound. */
const tableOf = (...rows: readonly string[]) =>
  `<table><thead><tr>${CHANNEL_HEADERS}</tr></thead><tbody>${PUSH}${rows.join('')}</tbody></table>`
/** A page of HTML: a sound table, and what is given. */
const withTable = (html: string) => `<html><body><h2>IPs</h2>${tableOf()}${html}</body></html>`

t.test('what is hidden or struck out is refused, whichever element around the text says so', async (t) => {
  const hidden = ['hidden', 'hidden=""', 'style="display: none"', 'style="color:red;visibility:hidden"']
  const struck = ['style="text-decoration: line-through"', 'style="text-decoration-line:line-through"']
  const places: [what: string, page: (attribute: string) => string][] = [
    ['a cell', (attribute) => tableOf(SMS.replaceAll('<td>3', `<td ${attribute}>3`))],
    ['the cell of a name', (attribute) => tableOf(SMS.replace('<td>', `<td ${attribute}>`))],
    ['the cell of a data center', (attribute) => tableOf(SMS.replace('<td>DC', `<td ${attribute}>DC`))],
    ['a row', (attribute) => tableOf(SMS.replace('<tr>', `<tr ${attribute}>`))],
    ['a row of a band', (attribute) => tableOf(`<tr ${attribute}><td colspan=3>Note</td></tr>`)],
    ['a group of rows', (attribute) => tableOf(`</tbody><tbody ${attribute}>${SMS}`)],
    ['the header', (attribute) => tableOf(SMS).replace('<thead>', `<thead ${attribute}>`)],
    ['the table', (attribute) => tableOf(SMS).replace('<table>', `<table ${attribute}>`)],
    ['a block around the table', (attribute) => `<section ${attribute}><div>${tableOf(SMS)}</div></section>`],
    ['a cell around the table', (attribute) => `<table><tr><td ${attribute}>${tableOf(SMS)}</td></tr></table>`]
  ]
  for (const [what, write] of places) {
    for (const [attributes, message] of [
      [hidden, /^It is hidden, or a style that is an expression may hide it: .* a tab that is closed\.$/],
      [struck, /^Its text is struck out\.$/]
    ] as const) {
      for (const attribute of attributes) {
        const { cells } = refused(`<div>${write(attribute)}</div>`)
        t.match(cells, [{ message }], `${what}: ${attribute}`)
        t.equal(cells.length, 1, `${what}: ${attribute}`)
      }
    }
  }
  for (const tag of ['del', 's', 'strike']) {
    t.match(refused(`<div><${tag}>${tableOf(SMS)}</${tag}></div>`).cells, [{ message: /struck/ }], tag)
  }
  const rest =
    '<table><tr><th>Data Center</th><th>IPs</th></tr><tr hidden><td>DC-01</td><td>3.6.251.95</td></tr></table>'
  t.match(
    refused(`<div><h2>SMS</h2>${rest}</div>`).cells,
    [{ table: 'SMS', row: 'DC-01', column: 'IPs', text: '3.6.251.95' }],
    'a table of one channel'
  )
  t.match(
    refused(`<div>${tableOf('<tr><td>SMS</td><td></td><td></td></tr>', SMS.replace('<tr>', '<tr hidden>'))}</div>`)
      .cells,
    [{ row: 'SMS, DC-01', column: 'MoEngage IPs', text: '3.6.251.95' }],
    'below its name'
  )
  t.match(
    refused(withTable(tableOf().replace('<table>', '<table hidden>'))).cells,
    [{ column: 'header' }],
    'a hidden copy'
  )
})

t.test('what MDX and Markdown hide or strike out around a table is refused', async (t) => {
  const table = page('SMS | DC-01 | 3.6.251.95')
  const row = (attribute: string) =>
    `<table>\n<tr>${CHANNEL_HEADERS}</tr>\n${SMS.replace('<tr>', `<tr ${attribute}>`)}\n</table>\n`
  for (const text of [
    row("style={{ textDecoration: 'line-through' }}"),
    row('hidden'),
    row('style={{ display: "none" }}'),
    `<del>\n\n${table}\n</del>\n`,
    `<div hidden>\n\n${table}\n</div>\n`,
    `<Frame style={{ display: 'none' }}>\n${table}</Frame>\n`,
    `<Tabs>\n  <Tab title="SMS" hidden>\n${table.replaceAll(/^/gm, '    ')}  </Tab>\n</Tabs>\n`
  ]) {
    t.match(refused(text).cells, [{ message: /hidden|struck/ }], text)
  }
})

t.test('what is hidden is of no concern where no address is read', async (t) => {
  for (const [what, text] of [
    ['a row without text', `<div>${tableOf('<tr hidden><td></td><td></td><td></td></tr>')}</div>`],
    ['another table', withTable('<table hidden><tr><th>Format</th></tr><tr><td>CIDR</td></tr></table>')],
    ['a heading', `<div><h2>IPs</h2><h2 hidden>Old IPs</h2>${tableOf()}</div>`],
    ['text', withTable('<p hidden>Old</p>')],
    ['what screen readers leave out', `<div aria-hidden="true">${tableOf()}</div>`],
    ['a part that readers can open', `<details><summary>IPs</summary>${tableOf()}</details>`]
  ] as const) {
    t.strictSame(rows(text), ['DC-01 push: 18.217.73.1'], what)
  }
})

const ENDED = [
  'deprecating',
  'decommissioning',
  'sunset',
  'sunsetting',
  'end of life',
  'end-of-support',
  'phased out',
  'historical',
  'past',
  'archived',
  'stopped',
  'withdrawn',
  'invalid',
  'obsoleted',
  'revoked',
  'ended',
  'before 2025'
]

t.test('words that may reverse the meaning of a row or table are refused', async (t) => {
  const md = (heading: string, headers = 'Channel | Data Center | MoEngage IPs', row = 'SMS | DC-01 | 3.6.251.95') =>
    `${heading}\n\n| ${headers} |\n| - | - | - |\n| ${row} |\n`
  const texts: [word: string, text: string][] = [
    ['removed', page('SMS Campaigns (removed on 1 May) | DC-01 | 3.6.251.95')],
    ['deprecated', page('SMS Campaigns (deprecated) | DC-01 | 3.6.251.95')],
    ['except', page('SMS Campaigns (except OTP) | DC-01 | 3.6.251.95')],
    ['only', page('SMS Campaigns (custom<br />connectors only) | DC-01 | 3.6.251.95')],
    ['retired', page('SMS Campaigns<br />retired on 1 May | DC-01 | 3.6.251.95')],
    ['not', page('SMS Campaigns, not for OTP | DC-01 | 3.6.251.95')],
    ['No', page('SMS Campaigns<br />For example, OTP. No longer used. | DC-01 | 3.6.251.95')],
    ["don't", page("SMS Campaigns (don't use) | DC-01 | 3.6.251.95")],
    ['no', page('SMS | DC-01 (no longer used) | 3.6.251.95')],
    ['until', page('SMS | DC-01 (until May) | 3.6.251.95')],
    ...ENDED.flatMap((word): [word: string, text: string][] => [
      [word, md(`## IPs – ${word}`)],
      [word, md(`## ${word}: IPs`)],
      [word, page(`SMS Campaigns (${word}) | DC-01 | 3.6.251.95`)]
    ]),
    ['EOL', page('SMS Campaigns<br />EOL 2025 | DC-01 | 3.6.251.95')],
    ['Blocked', page('SMS Campaigns<br />Blocked | DC-01 | 3.6.251.95')],
    ...['IPs to remove', 'IPs to block', 'Blocked IPs', 'IP addresses to delete'].flatMap(
      (words): [word: string, text: string][] => [
        [words, md(`## ${words}`)],
        [words, md('## IPs', `Channel | Data Center | ${words}`)]
      ]
    ),
    ['Remove these', md('## Remove these IPs')],
    ['remove these', md('## Step 2: remove these IPs')],
    ['Block the following', md('## Block the following')],
    ['To remove', md('## To remove')],
    ['To be removed', md('## To be removed')],
    ['Block requests from these', md('## Block requests from these addresses')],
    ['remove the IPs', md('## Allow the first list and remove the IPs in the second')],
    ['block list', md('## IP block list')],
    ['remove', md('## IPs (remove)')],
    ['please remove', md('## IPs (please remove)')],
    ['to remove', md('## IPs (static) (to remove)')],
    ['delete', page('SMS Campaigns (delete by 1 May) | DC-01 | 3.6.251.95')],
    ['Addresses for removal', md('## Addresses for removal')],
    ['removal of old IPs', md('## Step 2: removal of old IPs')],
    ['Removals', md('## Removals')],
    ['Removal', md('## Removal on 1 May 2026')],
    ['IP Removal', md('## IP Removal')],
    ['Blacklist', md('## IP Blacklist 2026')],
    ['now blocked', page('SMS Campaigns (now blocked) | DC-01 | 3.6.251.95')],
    ['has moved', page('SMS Campaigns (has moved, see Push) | DC-01 | 3.6.251.95')],
    ['Deleted', md('## Deleted IPs')],
    ['unsupported', md('## IPs (unsupported)')],
    ['dropped', page('SMS Campaigns (dropped on 1 May) | DC-01 | 3.6.251.95')],
    ['migrated', page('SMS Campaigns (migrated to DC-02) | DC-01 | 3.6.251.95')],
    ['remove', page('SMS | DC-01 (remove) | 3.6.251.95')],
    ['drop', page('SMS | DC-01 | 3.6.251.95 (drop)')],
    ['Denylist', md('## Denylist')],
    ['Remove these', `<Step title="Remove these IPs">\n\n${page('SMS | DC-01 | 3.6.251.95')}\n</Step>\n`],
    ['Old', md('## Old IPs (no longer used)')],
    ['Deprecated', md('## Deprecated addresses')],
    ['Former', md('# Former addresses\n\n## Campaigns')],
    ['only', md('## IPs (only for other workspaces)')],
    ['Old', md('## IPs', 'Channel | Data Center | Old IPs')],
    ['no', md('## IPs', 'Channel | Data Center | IPs that no longer need whitelisting')],
    ['deprecated', md('## IPs', 'Channel (deprecated) | Data Center | MoEngage IPs')],
    ['old', md('## IPs', 'Channel | Data Center (old) | MoEngage IPs')],
    ['Deprecated', page('SMS Campaigns <Badge text="Deprecated" /> | DC-01 | 3.6.251.95')],
    ['deprecated', page('SMS Campaigns <Badge color="red" deprecated></Badge> | DC-01 | 3.6.251.95')],
    ['Deprecated', page('<Badge label="Deprecated">SMS Campaigns</Badge> | DC-01 | 3.6.251.95')],
    ['Deprecated', page('SMS Campaigns <img src="/x.png" alt="Deprecated" /> | DC-01 | 3.6.251.95')],
    ['old', md('## IPs', 'Channel | Data Center | MoEngage IPs <Icon icon="old" />')],
    ['Deprecated', md('## IPs <Badge text="Deprecated" />')],
    ['Deprecated', withTable(tableOf(SMS.replace('<tr>', '<tr title="Deprecated">')))],
    ['Deprecated', withTable(tableOf(`</tbody><tbody aria-label="Deprecated">${SMS}`))],
    ['Deprecated', withTable(tableOf(SMS).replace('<thead>', '<thead title="Deprecated">'))],
    ['Deprecated', withTable(`<div role="heading">Deprecated IPs</div>${tableOf(SMS)}`)],
    ['Old', withTable(`<div role="heading" aria-level="3">Old</div><h4>Campaigns</h4>${tableOf(SMS)}`)],
    ['Deprecated', withTable(`<dl><dt>Deprecated IPs</dt><dd>${tableOf(SMS)}</dd></dl>`)],
    ['Deprecated', `<Accordion title="Deprecated addresses">\n${page('SMS | DC-01 | 3.6.251.95')}</Accordion>\n`],
    ['Old', withTable(`<details><summary>Old IPs</summary><div>${tableOf(SMS)}</div></details>`)],
    ['Retired', withTable(tableOf(SMS).replace('<table>', '<table><caption>Retired on 1 May</caption>'))],
    ['Unused', withTable(tableOf(SMS).replace('<table>', '<table title="Unused">'))],
    ['Retired', withTable(tableOf('<tr><td colspan=3>Retired on 1 May</td></tr>', SMS))]
  ]
  for (const [word, text] of texts) {
    const { cells } = refused(text)
    const message = `The ${word.includes(' ') ? 'words' : 'word'} "${word}" may reverse its meaning.`
    t.match(cells, [{ message }], text)
    t.equal(cells.length, 1, text)
  }
  t.match(refused(md('## IPs', 'Channel | Data Center | ~~MoEngage~~ IPs')).cells, [
    { column: 'header', message: /struck/ }
  ])
  for (const style of ['width:0;overflow:hidden', 'max-width:0;overflow:hidden;white-space:nowrap']) {
    const cell = SMS.replace('<td>3', `<td style="${style}">3`)
    t.not(cell, SMS)
    t.equal(rows(withTable(tableOf(cell))).includes('DC-01 sms: 3.6.251.95'), true, `a cell grows: ${style}`)
  }
  t.match(refused(md('## ~~IPs~~')).cells, [{ column: 'header', message: /struck/ }])
  t.match(refused(`<div><h2 style="text-decoration:line-through">IPs</h2>${tableOf()}</div>`).cells, [
    { message: /struck/ }
  ])
  const plain: [what: string, text: string][] = [
    ['a section before', md('# Old IPs\n\n# IPs')],
    ['a section inside of the one before', md('# IPs\n\n### Retired\n\n## Campaigns')],
    ['a list in a name', page('SMS<br />Other connectors | DC-01 | 3.6.251.95')],
    ['a heading that sets apart', md('## Other channels')],
    [
      'a tool that sorts',
      withTable('').replace(
        tableOf(),
        tableOf(SMS).replace(PUSH, '').replaceAll('<th>', '<th aria-label="No sort applied">')
      )
    ],
    [
      'a button that sorts',
      md('## IPs', '<button aria-label="not sorted">Channel</button> | Data Center | MoEngage IPs')
    ],
    [
      'a title of a row',
      `<div>${tableOf(SMS.replace('<tr>', '<tr aria-label="DC-01: not selected">')).replace(PUSH, '')}</div>`
    ],
    ['a link in a heading', md('## IPs <a href="#ips" aria-label="Link to other IPs, without a tab"></a>')],
    ['a longer word', md('## Notable, golden and unsold')],
    ['a badge in a heading', md('## Old IPs\n\n## IPs <Badge text="New" />')],
    ['a heading by its role', `<div role="heading">Old IPs</div>\n\n${md('## IPs')}`],
    ['a prefix', md('## CIDR block ranges', 'Channel | Data Center | CIDR block (IPv4)')],
    ['what others are blocked for', md('# Avoid blocked requests\n\n## Add or remove IP addresses')],
    ['a block of content', md('## IPs for Content Blocks')],
    ...['Add/remove IPs', 'Add, remove IPs', 'Add & remove IPs', 'Whitelist and remove IPs'].map(
      (heading): [what: string, text: string] => [heading, md(`## ${heading}`)]
    ),
    ...['IPv4 CIDR block list', 'Drop these IPs in your allowlist'].map((heading): [what: string, text: string] => [
      heading,
      md(`## ${heading}`)
    ]),
    ...['Block requests from other addresses', 'Allow MoEngage IPs and block all other IPs', 'Block spam by IP'].map(
      (heading): [what: string, text: string] => [heading, md(`## ${heading}`)]
    ),
    ...['add, remove', 'add/delete users', 'delete events'].map((words): [what: string, text: string] => [
      words,
      page(`SMS Campaigns (${words}) | DC-01 | 3.6.251.95`)
    ]),
    ['what readers do', md('## IPs', 'Channel | Data Center | IPs to allow (add/remove)')],
    ...[
      'Remove IP restrictions',
      'Block Storage IPs',
      'IP whitelisting for removed users',
      'Historical data export',
      'Allowlist vs blocklist',
      'No-code connectors',
      'Step 3: Delete the IP rule, then add',
      'Why are MoEngage IPs blocked?',
      'Troubleshoot blocked IPs',
      'Allow list / block list',
      'Allowlist and denylist',
      'IP allow/deny lists',
      'Deny list exceptions',
      'Webhook for deleted users: IPs',
      'Data removal',
      'IPs of unsupported browsers'
    ].map((heading): [what: string, text: string] => [heading, md(`## ${heading}`)]),
    ...[
      'deleted users',
      'migrated data',
      'sent, dropped',
      'delivery receipts: sent, delivered, rejected',
      'blocked content'
    ].map((words): [what: string, text: string] => [words, page(`SMS Campaigns (${words}) | DC-01 | 3.6.251.95`)]),
    ['another use of a word', md('# Before you begin\n\n## Ending the setup')]
  ]
  for (const [what, text] of plain) t.strictSame(rows(text), ['DC-01 sms: 3.6.251.95'], what)
  t.strictSame(
    rows(page('SMS | DC-01 | 3.6.251.95', 'Voice (deprecated) | DC-01 | 52.1.1.1')),
    ['DC-01 sms: 3.6.251.95', 'unknown DC-01 Voice: 52.1.1.1'],
    'a row that is never matched is kept'
  )
})

/** A page whose table stands directly below a text. */
const below = (above: string) => `${above}\n\n${page('SMS | DC-01 | 3.6.251.95').replace('## IPs\n\n', '')}`

t.test(
  'a text directly above a table that says clearly that its addresses are over, or not to be used, is refused',
  async (t) => {
    const over = [
      'These addresses are no longer used:',
      'Deprecated IPs',
      'Deprecated:',
      'Deprecated on 1 May',
      'Deprecated IPs for DC-01:',
      '**Old IPs**',
      'Legacy addresses (no longer used)',
      'IPs no longer in use:',
      'No longer in use:',
      'Our previously used IP addresses:',
      '- SMS\n- Old MoEngage IP addresses',
      '> The following IPs were retired on 1 May.',
      'The following IPs, sorted by data center, are now all deprecated:',
      'These are the old IPs of MoEngage:',
      'The list below is\nobsolete.',
      'These reached end‑of‑life:',
      'These IPs are depre\u00adcated:',
      'These IPs are no\u200b longer used:',
      'These IPs are not in use any more.',
      "We don't send from these any longer:",
      'MoEngage no longer sends from the following IPs:',
      'The IPs below were used until May:',
      'These IPs are deprecated. Remove them:',
      '<div>Notes<br />Discontinued ranges:<br /></div>',
      '<Banner text="These IPs are decommissioned" />',
      `${'Requests come from MoEngage. '.repeat(5)}These IPs have been removed:`,
      'Please remove the following IPs from your allowlist:',
      'Remove these IPs from your firewall:',
      'Kindly delete the IPs listed below.',
      'We recommend removing these IPs.',
      'We recommend you remove these IPs.',
      'We have retired the following IPs:',
      'MoEngage has retired the IPs below.',
      'We have stopped using the following:',
      'Do not whitelist these IPs:',
      "Don't use the following ranges.",
      'Never allow these addresses.',
      'You must not use these IPs.',
      'You do not need to allow these IPs.',
      'The following IPs must not be whitelisted:',
      'The following IPs need not be whitelisted:',
      'These IPs should be blocked.',
      'Block the following IPs:',
      'The following table is out of date.',
      'This table is not up to date.',
      'IPs to remove:',
      'Blocked IPs',
      'IPs to block',
      'IPs (deprecated)',
      'Note: Old IPs',
      '⚠️ Old IPs',
      'Add the IPs above and remove the following:',
      'Retired IPs. Do not use.',
      'Deprecated. Use the list above.',
      'Deprecated IPs. Please contact support.',
      'Until 31 May 2026, traffic came from these IPs:',
      "We don't send from these any longer:",
      'The IP addresses in the table below have been retired.',
      'You can stop whitelisting the following IPs.',
      'These IPs are scheduled for removal.',
      'Please ignore the list below.',
      'Please remove all of the addresses in this table from your firewall.',
      'Step 2: Remove these IPs',
      'The following IPs, which are now retired, must be removed.',
      'These IPs can be deleted.',
      'These IPs must be deleted now.',
      'We used the following IPs before May.',
      'These addresses have to be removed from your allowlist by 1 June.',
      'The following IPs shall be removed.',
      'You should now remove these IPs.',
      'The list below must be removed.',
      'We are retiring the following IPs on 1 May:',
      'We will remove these IPs on 1 May.',
      'The following IPs, replaced on 1 May, were removed.',
      'The following addresses are blocked and must not be used.',
      'Do not trust the following IPs.',
      'Do not add these to your allowlist.',
      "Please don't whitelist the IPs listed below:",
      'Please stop using these IPs.',
      'Customers should remove these IPs.',
      'Make sure to remove the following IPs.',
      'Make sure that these IPs are removed.',
      'The IPs in the table below should not be allowed.',
      'Remove:',
      'IPs that should be removed:',
      'IPs that must be blocked:',
      'IPs you should remove:',
      'IPs which must not be whitelisted',
      'Not to be used',
      'Do not use',
      'There is no need to whitelist these IPs.',
      'It is not necessary to allow these IPs.',
      'Take these IPs off your allowlist:',
      'Please take the IP addresses listed below out of your firewall.',
      'Avoid the following IPs:',
      'MoEngage stopped sending requests from these IPs.',
      'We have discontinued the use of the following IPs.',
      'To be removed:',
      'To delete:',
      'To be removed by 31 May:',
      'Blocked:',
      'Drop the following IPs:',
      'Do not allow these IPs to connect:',
      'These IPs must not be allowed to connect.',
      'Do not whitelist these IPs in your firewall, they are retired.',
      'Do not use these IPs as they will be removed.',
      'These IPs must not be added to your allowlist.',
      'Add these IPs to your blocklist:',
      'The following IPs must be added to your denylist.',
      'Remove these IPs off your list.',
      'Some of these IPs are retired.',
      'We no longer use the list below.',
      'Deprecated - do not use',
      'Deprecated, do not use',
      'Deprecated (do not use these any more)',
      'Here are the deprecated IPs:',
      "Here's the list of old IPs:",
      'Below is the list of deprecated IPs:',
      'The following is a list of retired IPs:',
      'See below for deprecated IPs.',
      'This table shows old IPs.',
      'The old IPs are:',
      'The retired addresses are as follows:',
      'IPs we no longer use',
      'IP addresses that MoEngage does not use',
      'IPs which are not in use',
      'IPs that we retired on 1 May:',
      'MoEngage will retire the following IPs on 1 May.',
      'We plan to discontinue these IPs.',
      'We are going to stop sending requests from these addresses.',
      'MoEngage will not use these IPs from 1 May.',
      'The following IPs will stop working on 1 May.',
      'These IPs will soon expire.',
      'These IPs will not be used from 1 May.',
      'Please discontinue the use of the following IPs.',
      'Please discontinue using these IPs:',
      'The following IPs have been taken out of service.',
      'Once done, remove these IPs:',
      'After the new list is in place, remove these IPs.',
      'These IPs must be removed from your firewall rules.',
      'Remove these IPs from all of your WAF rules.',
      'These IPs are retired from 1 May.',
      'The following IPs are to be removed from the end of May.',
      'The new IPs replace the following IPs:',
      'These IPs were used by MoEngage until May 2026.',
      'Until 1 May 2026:',
      'You no longer need these IPs.',
      'We no longer own the following IPs.',
      'These IPs are no longer under our control.',
      'MoEngage no longer connects from these IPs.',
      'We no longer route traffic through these IPs.',
      'Webhooks no longer originate from the following IPs.',
      'These IPs are not ours any more.',
      'Whitelisting the following IPs is not required any more.',
      'Addresses no longer in service',
      '> [!WARNING]\n> Deprecated IPs',
      'You no longer need to whitelist the following IPs.',
      'These IPs no longer need to be allowed.',
      'MoEngage no longer sends events from these IPs.',
      'Do not allow these IPs to call you.'
    ]
    for (const above of over) {
      t.match(
        refused(below(above)).cells,
        [
          {
            column: 'header',
            message: 'The text directly above the table says that its addresses are over, or not to be used.'
          }
        ],
        above
      )
    }
    const between = [
      '<Icon icon="arrow-down" />',
      '<Spacer size="20" />',
      '![arrow](a.png)',
      '<button>Copy table</button>',
      '<select><option>DC-01</option></select>',
      '<svg><title>arrow</title></svg>',
      '<br />',
      '\u200b',
      '↓'
    ]
    for (const other of between) {
      t.match(refused(below(`Deprecated IPs:\n\n${other}`)).cells, [{ text: 'Deprecated IPs:' }], other)
    }
    t.match(refused(withTable(`<p>Old IPs:</p>${tableOf(SMS)}`)).cells, [{ text: 'Old IPs:' }], 'HTML')
    const plain = [
      'Here are the IPs that you can whitelist to ensure that only allowed IPs send messages:',
      'Here are the IPs that you can whitelist for our Data Imports and Export services to ensure that only whitelisted IPs are reading or writing data from/to your data services:',
      "Here are the IPs that you can whitelist for Outbound Segment sync to ensure that these MoEngage IPs are allowed to call your/partner's audience sync APIs:",
      'You can whitelist the following MoEngage IPs to allow MoEngage to import their catalog feed via SFTP-based ingestion:',
      'If your firewall does not allow all requests, allow these:',
      "Don't use other IPs. No other list is needed:",
      'If you whitelisted the legacy IPs, replace them with the following:',
      'This list replaces the previous list.',
      '<Note>These IPs replace the older list.</Note>',
      'Remove old IPs and add these:',
      'Old IPs were removed. Allow these:',
      'Remove these IPs when you no longer use data imports.',
      'Access is revoked if these IPs are not whitelisted.',
      'These IPs should not be removed:',
      'DC-07 has been removed. The rest is unchanged.',
      'Do not wait any longer: whitelist these.',
      'The following IPs were used for testing and production:',
      'Last updated: 2026. The list was used by 3000 customers.',
      'The past IPs stay valid; the new ones are below.',
      'Deprecated IPs for DC-01 are in the archive.',
      '![Deprecated screen](a.png)',
      'Deprecated IPs are in the archive.\n\nAllow these:',
      'Deprecated IPs:\n\n- in the archive',
      '<p hidden>Old IPs:</p>',
      '~~Old IPs:~~',
      '<Card title="Old IPs" hidden />',
      '<Card title="More" href="/deprecated-ips" />',
      `${'MoEngage no longer sends from dynamic IPs. '.repeat(3)}Allow these:`,
      `${'MoEngage no longer sends from dynamic IPs. '.repeat(3)}`,
      '| Old IPs |\n| - |\n| NA |',
      'The following addresses are used by Data Transfer. Old addresses were removed on 1 May.',
      'The following IPs are whitelisted. Requests from other IPs are stopped.',
      'The old IPs are replaced by these:',
      'The following is the updated list. IPs no longer in use were removed from this list.',
      'Do not remove these IPs:',
      'Never block these IPs.',
      'Do not block the following IPs:',
      'Make sure that your firewall does not block these IPs:',
      'Firewalls may block these IPs: allow them.',
      'Some firewalls inspect and block the following IPs.',
      'The following IPs can be blocked by your firewall.',
      'Requests that are not from the following IPs must be blocked.',
      'Requests from IPs other than these must be rejected.',
      'Requests from addresses that are not in this list are stopped.',
      'The following IPs are current, and all others are retired.',
      'The following IPs are current and the old IPs were removed.',
      'Only these IPs are allowed, all other requests are stopped.',
      'Whitelist the following IPs, or your requests will be stopped.',
      'Whitelist the following IPs to prevent your exports from being stopped.',
      'Whitelist these IPs so that your requests are no longer blocked:',
      'Remove the IPs that are not listed below.',
      'Remove these IPs from your blocklist:',
      'Remove these headers before you call the API.',
      'Do not use these features without the following IPs.',
      'Customers who do not allow these IPs get no messages.',
      'Replace the old IPs with the following:',
      'Replace your list by the one below.',
      'These IPs may be removed at any time.',
      'Blocked by your firewall? Allow these IPs:',
      'Old IPs (now replaced by the following):',
      'Add these IPs to remove the limit.',
      'This list replaces an older one.',
      'The list below replaces the list of 2024, which is retired:',
      'This list supersedes the previous list; remove old IPs.',
      'Do not allow traffic other than from these IPs.',
      'Should I remove these IPs? No.',
      'To use the SFTP exports, add the following IPs to your allowlist:',
      'You must whitelist the following IP addresses to avoid being blocked by your firewall.',
      'If you have an IP restriction, whitelist these. Without them, calls are rejected.',
      'The following IPs must be whitelisted; otherwise requests are stopped.',
      'Whitelist the IPs below before you remove the old ones.',
      'The following table lists the IPs. Contact support if IPs are out of date.',
      'We have updated this list. The previous IPs have been removed.',
      'We have removed the old IPs. Use the following:',
      'The IPs below were added on 1 May. Please remove the old IPs by 1 June.',
      'These are the IPs that replaced the legacy IPs:',
      'The following IPs must be used instead of the retired IPs.',
      'Use these IPs instead of the deprecated ones:',
      'Here are the current IPs. Deprecated IPs have been removed.',
      'These IPs should never be blocked.',
      'These IPs must not be blocked or removed.',
      'The following IPs must not be used for inbound traffic.',
      'You can use the following IPs to block all other traffic.',
      'Deny all traffic except from the following IPs:',
      'Block all requests that are not from these IPs:',
      'Reject requests from any address except the following:',
      'Drop everything but these IPs:',
      'Allow only the following IPs and block all others:',
      'Delete the list in your firewall and add these IPs:',
      'Remove the previous list and use this list:',
      'MoEngage sends requests from these IPs. Remove any other IPs.',
      'These IPs are static and do not change. IP ranges are not supported.',
      'This table was last updated in May. Removed addresses are struck out.',
      'Ensure that these IPs are not on your denylist.',
      'Ensure the following IPs are removed from your denylist.',
      'The following IPs supersede the former list, which is no longer valid.',
      'You no longer need to ask support: use these IPs.',
      'This section is for customers whose account was not suspended.',
      'The following is the list of IPs. This list is effective from May, older lists are void.',
      'Customers with a custom domain can ignore this section.',
      'Note: the IPs of DC-05 were removed from this page. Allow the following.',
      'Do not use these IPs to call MoEngage’s API.',
      "Add the IPs below. Don't use these addresses for SFTP.",
      'Never use the following IP addresses in your code as a fallback.',
      "Please don't whitelist these IPs without TLS.",
      '**Do not add these IPs to your blocklist.**',
      'These IPs must not be added to your denylist.',
      'There is no need to whitelist these IPs for exports.',
      'Drop these IPs in your allowlist.',
      'Drop the following IPs into your firewall:',
      'Take these IPs off your blocklist:',
      'Add these IPs to your allowlist:',
      'Avoid these IPs being blocked.',
      'Avoid these addresses for tests.',
      'MoEngage stopped sending requests from IPs other than these.',
      'These IP addresses are updated from time to time; older versions of this list are invalid.',
      'We no longer maintain older copies of this list.',
      'Earlier versions of the following table are out of date.',
      'IPs not to be used for tests',
      'Use the IPs of your data center.',
      'The following IPs have been in use since 2019.'
    ]
    for (const above of plain) t.strictSame(rows(below(above)), ['DC-01 sms: 3.6.251.95'], above)
  }
)

t.test('a text directly above a table that may speak against it is reported', async (t) => {
  const doubtful = [
    "You don't need to whitelist all these IPs; whitelist those for your data center.",
    'It is not necessary to allow all of the following IPs, only those of your data center.',
    'Do not whitelist both of these.',
    'Do not trust these IPs alone; check your secret as well.',
    'Do not use these IPs instead of a secret.',
    'Do not add these IPs twice.',
    'Do not whitelist these IPs by host name.',
    'You do not need to add these IPs manually: use our Terraform module.',
    'There is no need to whitelist these IPs separately.',
    'Do not allow these IPs on port 22.',
    "Don't allow these IPs on other ports.",
    'Do not add these IPs to the trusted proxies.',
    'Do not use these IPs in your code.',
    'Do not allow these IPs to reach your database.',
    'The following IPs are not in use yet, but whitelist them now.',
    'These IPs have not yet been deprecated.',
    'These IPs may be unused at times.',
    'These IPs may be inactive.',
    'The following IPs are old but still in use.',
    'Remove these IPs from your bot filter.',
    'These IPs must be removed from the spam filter.',
    'Please ignore the below IPs of other data centers.',
    'None of the following IPs has been removed.',
    'We inform you 30 days before any of the following IPs are retired.',
    'These IPs no longer change.',
    'These IPs are no longer limited to SMS.',
    'You no longer need to contact support to enable these IPs.',
    'Below are the IPs (the old IPs were retired on 1 May):',
    'If you have these IPs in your allowlist, remove them:',
    'These IPs were given up.',
    'These IPs are switched off.',
    'We do not recommend whitelisting the following IPs.',
    'Stale IPs',
    'Requests from other IPs must be blocked.',
    'TLS 1.0 is no longer supported on these IPs.',
    'HTTP is no longer supported from these IPs.',
    'Idle connections from these IPs are terminated after 60 s.',
    'The table below no longer contains the old IPs.',
    'No IPs have been deprecated.',
    'After 30 June requests will come only from these IPs and the old ones will be removed.',
    'These IPs are not ours.',
    'Find below the deprecated IPs:',
    'For historical reference:',
    'IPs before May 2026:',
    'MoEngage is removing the following IPs.',
    'These IPs are not needed.',
    'Clear these IPs from your firewall.',
    'Please strip these IPs from your allowlist.',
    'Undo the allowlisting of these IPs.',
    'Close your firewall for these IPs.',
    'Our contract for these IPs has run out.',
    'These IPs are history.',
    'Nothing comes from these IPs.',
    'The following IPs were published in error.',
    'Two IPs were removed.',
    'Do not use these IPs in your SPF record.',
    'Replace these addresses with the ones of your data center.'
  ]
  for (const above of doubtful) {
    t.strictSame(rows(below(above)), ['DC-01 sms: 3.6.251.95'], above)
    t.strictSame(
      warnings(below(above)).map(({ path, value }) => [path, value]),
      [['the text above a table', above]],
      above
    )
  }
  t.match(warnings(`## IPs for deleted users\n\n${below('')}`), [
    { path: 'the heading of table "IPs for deleted users"', value: 'IPs for deleted users' }
  ])
  for (const above of [
    'Add the following IPs to your allowlist:',
    'IP block',
    'CIDR blocks of MoEngage',
    'The IPs below are static and dedicated to MoEngage.',
    'These IPs for each data center:',
    'The following IP addresses:',
    'MoEngage pulls files from these IPs.',
    'An import runs from the addresses in this table.',
    'Requests arrive with TLS 1.2 or later from these addresses.',
    'Last updated: 1 May 2026'
  ]) {
    t.strictSame(warnings(below(above)), [], above)
  }
})

t.test('a heading is refused for clear words, and reported for words that may speak against it', async (t) => {
  const under = (heading: string) => page('SMS | DC-01 | 3.6.251.95').replace('## IPs', `## ${heading}`)
  for (const heading of [
    'Old IPs',
    'IPs that are not in use',
    'IPs not to allow',
    'Do not use',
    'Never whitelist these IPs',
    'Block these IPs',
    'These IPs must not be allowed',
    'IPs ~~of SMS~~'
  ]) {
    t.match(refused(under(heading)).cells, [{ column: 'header' }], heading)
  }
  for (const heading of [
    'Do not block these IPs',
    'IPs that never change',
    'IPs without which campaigns fail',
    'IPs of campaigns that are not sent by email',
    'IPs for deleted users'
  ]) {
    t.strictSame(rows(under(heading)), ['DC-01 sms: 3.6.251.95'], heading)
    t.match(warnings(under(heading)), [{ path: `the heading of table "${heading}"`, value: heading }], heading)
  }
  t.strictSame(warnings(under('IPs of SMS')), [])
})

t.test('a text below a table that speaks against its addresses is refused or reported', async (t) => {
  const table = page('SMS | DC-01 | 3.6.251.95')
  const message = 'The text below the table says that its addresses are over, or not to be used.'
  for (const text of [
    'The IPs above are deprecated.',
    'Remove the above IPs from your firewall.',
    'Note: do not allow the above IPs.',
    'Contact support.\n\nThe IPs above are no longer used.\n\nAllow the others.'
  ]) {
    t.match(refused(`${table}\n${text}\n`).cells, [{ column: 'header', message }], text)
    t.match(refused(`${table}\n${text}\n\n## More\n\nText\n`).cells, [{ message }], `${text}, above a heading`)
  }
  const next = page('SMS | DC-02 | 18.195.110.23').replace('## IPs\n\n', '')
  t.match(refused(`${table}\nThe IPs above are deprecated.\n\nAllow the IPs below.\n\n${next}`).cells, [{ message }])
  for (const text of [
    'These IPs were retired on 1 May.',
    'Deprecated, do not use.',
    '- No longer in use',
    '\\* Not needed any more',
    '(1) retired',
    '(a) decommissioned',
    'Remove all of them from your firewall.',
    'They were retired in 2027.',
    'Traffic no longer originates there.',
    'The table is obsolete.',
    'All of the entries are obsolete.',
    'Do not block the IPs above.'
  ]) {
    t.strictSame(rows(`${table}\n${text}\n`), ['DC-01 sms: 3.6.251.95'], text)
    t.match(warnings(`${table}\n${text}\n`), [{ path: 'the text below table "IPs"' }], text)
  }
  for (const text of [
    'The following IPs are deprecated: none.',
    'Allow the IPs above in your firewall.',
    'If requests are blocked, contact support.',
    '## Old versions of the SDK\n\nThe IPs above were removed from it.'
  ]) {
    t.strictSame(warnings(`${table}\n${text}\n`), [], text)
  }
})

t.test('a column beside the addresses that says that a row is over refuses the row', async (t) => {
  const table = (header: string, cell: string) =>
    `| Channel | Data Center | MoEngage IPs | ${header} |\n| - | - | - | - |\n| SMS | DC-01 | 3.6.251.95 | ${cell} |\n`
  const over = [
    'Deprecated',
    'Deprecated - use DC-02',
    'Deprecated (May 2025)',
    'Currently deprecated',
    'Removed',
    'Will be removed',
    'To be removed',
    'To be retired',
    'Replaced by DC-02',
    'It was retired in 2024.',
    'No longer used',
    'No longer needed',
    'Not in use',
    'Remove',
    'Please remove this IP',
    'Do not use'
  ]
  for (const cell of over) {
    t.match(refused(table('Status', cell)).cells, [
      { row: 'SMS, DC-01', column: 'Status', text: cell, message: 'It says that its row is over, or not to be used.' }
    ])
  }
  for (const [header, cell] of [
    ['Deprecated', 'Yes'],
    ['Retired?', 'x'],
    ['Is deprecated', '**true**'],
    ['End of life', '✓'],
    ['Active', 'No'],
    ['Still in use?', 'no.'],
    ['Is valid', 'false'],
    ['Supported', '❌']
  ] as const) {
    const message = 'It says that its row is over, or not to be used.'
    t.match(refused(table(header, cell)).cells, [{ row: 'SMS, DC-01', column: header, message }], header)
  }
  for (const [header, cell] of [
    ['Deprecated', 'No'],
    ['Deprecated', ''],
    ['Active', 'Yes'],
    ['Supported', 'x'],
    ['Removed on', '1 May 2027'],
    ['Static', 'No']
  ] as const) {
    t.strictSame(rows(table(header, cell)), ['DC-01 sms: 3.6.251.95'], `${header} ${cell}`)
    t.match(warnings(table(header, cell)), [{ value: header }])
  }
  for (const cell of ['Active', 'Add', 'Mumbai', '']) {
    t.strictSame(rows(table('Status', cell)), ['DC-01 sms: 3.6.251.95'], cell)
    t.strictSame(lines(warnings(table('Status', cell))), ['"Status" was left aside.'])
  }
  const doubtful: [header: string, cell: string][] = [
    ['Events', 'Deleted'],
    ['Replaces', 'Old list'],
    ['Notes', 'Not used for email'],
    ['Notes', 'Replaced the previous IPs on 1 May'],
    ['Notes', 'Old IPs were removed'],
    ['Status', 'Offline'],
    ['Status', `Deprecated ${'- '.repeat(1500)}`.trim()]
  ]
  for (const [header, cell] of doubtful) {
    t.strictSame(rows(table(header, cell)), ['DC-01 sms: 3.6.251.95'], cell.slice(0, 20))
    t.match(warnings(table(header, cell)), [{ value: header }, { path: 'SMS, DC-01', value: `${header}: ${cell}` }])
  }
})

t.test('words in brackets beside an address that are not taken are shown', async (t) => {
  const refusals: [brackets: string, message: string][] = [
    ['(added on 1 May)', '"(added on 1 May)" has a number, or a word that may reverse its meaning.'],
    ['(remove by May)', '"(remove by May)" has a number, or a word that may reverse its meaning.'],
    ['(block)', 'The word "block" may reverse its meaning.'],
    ['(only)', 'The word "only" may reverse its meaning.']
  ]
  for (const [brackets, message] of refusals) {
    t.match(refused(page(`SMS | DC-01 | 3.6.251.95 ${brackets}`)).cells, [{ message }], brackets)
  }
})

t.test('a sentence about the addresses of the channels makes a derived cell', async (t) => {
  for (const sentence of [
    DERIVED,
    'Same IPs as the channel',
    'Use the same IP addresses as the campaign channels (see above).',
    'The **same** addresses as those of the _channel_',
    'Same as the IPs of the campaign channels listed above',
    'Uses the same static IP addresses as all the channels in the campaign.',
    'Same as the channel’s IPs',
    '<ul><li>PII and Content API use the<br />same IPs as that of the channel.</li></ul>',
    'PII and Content API use the same IPs as that of the channel. So, if you plan to use one or more channels in the campaign, whitelist all the campaign channel IPs mentioned above.',
    'Note: the Content API uses the same IPs as the channels. Allow the IPs of all channels.'
  ]) {
    t.strictSame(rows(page(`Content API | DC-01, DC-07 | ${sentence}`, 'SMS | DC-01 | 3.6.251.95')), [
      'DC-01 sms: 3.6.251.95',
      `DC-01 content-api: ${shown(campaigns)}`,
      `unknown DC-07 Content API: ${shown(campaigns)}`
    ])
  }
  const word = (unknown: string) => `The word "${unknown}" in a text about the same addresses is not understood.`
  const refusals: [sentence: string, message: string | RegExp][] = [
    ['Does not use the same IPs as the channel', word('does')],
    ["Doesn't use the same IPs as the channel", word("doesn't")],
    ['Content API stopped using the same IPs as that of the channel.', word('stopped')],
    ['Content API rarely uses the same IPs as that of the channel.', word('rarely')],
    ['Content API used the same IPs as that of the channel.', word('used')],
    ['Nobody uses the same IPs as that of the channel.', word('nobody')],
    ['Neither uses the same IPs as that of the channel.', word('neither')],
    ['Some use the same IPs as that of the channel.', word('some')],
    ['PII hardly uses the same IPs as the SMS channel.', word('hardly')],
    ['It is a myth that it uses the same IPs as that of the channel.', word('is')],
    ['Soon Content API will use the same IPs as that of the channel.', word('soon')],
    ['If your workspace is in Jakarta, it uses the same IPs as that of the channel.', word('if')],
    [`${DERIVED} Push is an exception.`, word('push')],
    [`${DERIVED} Ask support for the new ones.`, word('ask')],
    [`Ask support. ${DERIVED}`, word('ask')],
    ['Same IPs as the channel (Push is an exception)', word('push')],
    ['Same IPs as the channel, except push', word('except')],
    ['Same IPs as the channel and 3.6.251.95', word('and')],
    ['Same IPs as the channel, 3.6.251.95', word('3.6.251.95')],
    ['Same IPs as the channel and the partner servers', word('and')],
    ['Same IPs as the channel <span hidden>no</span>', word('\\u{fffc}')],
    ['Same IPs for most senders as the channel', word('most')],
    ['Same IPs as the SMS channel. Same IPs as the Push channel.', word('same')],
    ['Not always: same IPs as the channel', word('not')],
    ['PII and Content API use the same IPs as the respective channel.', /^"respective" is not the name of a channel/],
    ['Same IPs as the support channel', /^"support" is not/],
    ['Same IPs as the SMS or Voice channel', /^"sms or voice" is not/],
    ['Same IPs as the SMS, Voice channel', /^"sms , voice" is not/],
    ['Same IPs as SMS, such as OTP, channel', /^"sms , such as otp ," is not/],
    ['Same as above', /which channels have the same addresses/],
    ['Same channel IPs as', /which channels/],
    ['Same as the channel', /which channels/],
    ['The same-day channel IPs', /which channels/],
    [`Same IPs as the channel${' of the channel'.repeat(200)}`, /too long for a sentence/],
    ['Identical IPs as the channel', /"Identical"/],
    ['See the channels', /"See"/]
  ]
  for (const [sentence, message] of refusals) {
    t.match(
      refused(page(`Content API | DC-01 | ${sentence}`)).cells,
      [{ row: 'Content API, DC-01', message }],
      sentence
    )
  }
  t.strictSame(
    rows(page('Content API | DC-01 | 3.6.251.95 (the same for all)')),
    ['DC-01 content-api: 3.6.251.95'],
    'words in brackets behind an address are left aside'
  )
  const below = ['Content API | DC-01 | Same IPs as the channel', 'Content API | DC-02 | ', 'Push | DC-02 | ']
  t.match(refused(page(...below)).cells, [{ row: 'Push, DC-02', message: /empty/ }], 'only the same row continues')
  t.match(
    refused(page('Push | DC-01 | 3.6.251.95', 'Push | DC-02 | ')).cells,
    [{ row: 'Push, DC-02' }],
    'addresses are not continued'
  )
})

t.test('a sentence about the addresses of one channel means that one', async (t) => {
  for (const [sentence, channels] of [
    ['Same IPs as the SMS channel', 'sms'],
    ['Uses the same IP addresses as that of the Push channel.', 'push'],
    ['Same IPs as the WhatsApp campaign channel', 'whatsapp'],
    ['Same IPs as the Streams/Partner Exports channel', 'streams'],
    ['Same IPs as those of the Email and SMS channels', 'email,sms'],
    ['Same IPs as the SMS, Push and E-mail channels (see above)', 'sms,push,email']
  ] as const) {
    t.strictSame(
      rows(page('SMS | DC-01 | 3.6.251.95', `Catalog | DC-01 | ${sentence}`)),
      ['DC-01 sms: 3.6.251.95', `DC-01 catalog: {derivedFrom:[${channels}]}`],
      sentence
    )
  }
})

t.test('a sentence may name a channel that has the addresses of others itself', async (t) => {
  const chains: [row: string, channel: string, derivedFrom: string][] = [
    ['Connector | DC-01 | The same IPs as the SMS channel', 'connector', 'sms'],
    ['Connector | DC-01 | The same IPs as the SMS channel', 'content-api', 'sms,whatsapp,email,push'],
    ['Catalog | DC-01 | The same IPs as the Content API channel', 'catalog', 'connector,sms,whatsapp,email,push'],
    ['Catalog | DC-01 | The same IPs as the Streams and SMS channels', 'catalog', 'streams,sms']
  ]
  for (const [row, channel, derivedFrom] of chains) {
    const text = page(
      'SMS | DC-01, DC-02 | 3.6.251.95',
      row,
      'Streams | DC-01 | 52.1.1.1',
      `Content API | DC-01 | ${DERIVED}`
    )
    t.ok(rows(text).includes(`DC-01 ${channel}: {derivedFrom:[${derivedFrom}]}`), `${row}: ${channel}`)
    t.ok(new Directory(importPage(text, about).snapshot), row)
  }
  t.ok(
    rows(
      sample.replace(/(?<=\| Connector Campaigns \| DC-02 \| ).*(?= \|)/, 'The same IPs as the SMS channel')
    ).includes('DC-02 content-api: {derivedFrom:[sms,whatsapp,email,push]}')
  )
  const circles: [what: string, rows: string[], refused: string[]][] = [
    ['itself', ['Push | DC-01 | Same IPs as the Push channel'], ['Push, DC-01']],
    ['the campaign channels, of which it is one', ['Push | DC-01 | Same IPs as the channel'], ['Push, DC-01']],
    [
      'each other',
      [
        'Push | DC-01, DC-02 | Same IPs as the Email channel',
        'Email | DC-01 | Same IPs as the Push channel',
        'Catalog | DC-01 | Same IPs as the Push channel',
        'Email | DC-02 | 3.6.251.95'
      ],
      ['Push, DC-01', 'Email, DC-01']
    ]
  ]
  for (const [what, written, places] of circles) {
    const { cells } = refused(page('SMS | DC-01 | 3.6.251.95', ...written))
    t.strictSame(
      cells.map(({ row }) => row),
      places,
      what
    )
    t.match(cells[0], { table: 'IPs', column: 'MoEngage IPs', text: /^Same IPs/, message: /leads back to its own row/ })
  }
})

t.test('rows and data centers that are unknown are kept and reported, and never matched', async (t) => {
  const text = page(
    'SMS Campaigns | DC-01 | 3.6.251.95',
    'SMS Campaigns | DC-07 | 52.1.1.1',
    'Voice Campaigns<br />(beta) | DC-01, data center 102 | 52.1.1.2',
    'RCS | DC-05 - DC-07 | NA',
    'RCS | dc_eu1 | NA'
  )
  const { snapshot } = importPage(text, about)
  t.strictSame(snapshot.unknown, [
    { dataCenter: 'DC-07', name: 'SMS Campaigns', addresses: ['52.1.1.1'] },
    { dataCenter: 'DC-01', name: 'Voice Campaigns', addresses: ['52.1.1.2'] },
    { dataCenter: 'DC-102', name: 'Voice Campaigns', addresses: ['52.1.1.2'] },
    { dataCenter: 'DC-05', name: 'RCS', addresses: 'NA' },
    { dataCenter: 'DC-06', name: 'RCS', addresses: 'NA' },
    { dataCenter: 'DC-07', name: 'RCS', addresses: 'NA' },
    { dataCenter: 'DC-EU1', name: 'RCS', addresses: 'NA' }
  ])
  t.match(lines(warnings(text)), [
    'The page has a row that this version does not know: "SMS Campaigns" in "DC-07".',
    'The page has a row that this version does not know: "Voice Campaigns" in "DC-01".',
    /"DC-102"/,
    /"RCS" in "DC-05"/,
    /"RCS" in "DC-06"/,
    /"RCS" in "DC-07"/,
    /"RCS" in "DC-EU1"/
  ])
  const read = new Directory(snapshot)
  t.strictSame(
    read.entries.map(({ prefix }) => `${prefix}`),
    ['3.6.251.95/32']
  )
  t.equal(read.unknown.length, 7)
  t.match(read.unknown[0], { dataCenter: 'DC-07', name: 'SMS Campaigns' })
  t.strictSame(directory.unknown, [])
})

t.test('rows that are gone are reported, by channel', async (t) => {
  const { warnings } = importPage(page('SMS | DC-01 - DC-04 | 3.6.251.95'), about)
  t.equal(warnings.length, 12)
  t.match(warnings[1], {
    code: 'MOE_WARN_PAGE',
    path: 'rows',
    value: 'sms',
    message: 'The page has no row "SMS Campaigns" for DC-05, DC-06, which the bundled snapshot has.',
    fix: /removed, renamed, or cut off/
  })
})

t.test('what was left aside is reported', async (t) => {
  const table =
    '| Channel | Data Center | Region | MoEngage IPs |\n| - | - | - | - |\n| SMS | DC-01 | US | 3.6.251.95 (primary) |\n'
  t.strictSame(lines(warnings(table)), ['"Region" was left aside.', '"(primary)" was left aside.'])
  t.match(warnings(table)[1], { code: 'MOE_WARN_PAGE', path: 'SMS, DC-01' })
  const brackets = page(
    'SMS (custom<br />connectors) [1] (2) | DC-01 (US) | 3.6.251.95 (primary)',
    'SMS (connectors) | DC-02 (EU) | NA',
    'SMS (connectors) | DC-03 | 3.6.251.95 (static), 3.6.251.96 (static)',
    'Email (sent via Custom API) | DC-01 | NA',
    'Push () | DC-01 | NA'
  ).replace('MoEngage IPs', 'MoEngage IPs (static)')
  t.strictSame(
    warnings(brackets).map(({ path, value }) => `${path}: ${value}`),
    [
      'column "MoEngage IPs": (static)',
      'SMS (custom, DC-01 (US): (primary)',
      'SMS (custom: (custom connectors)',
      'SMS (custom, DC-01 (US): (US)',
      'SMS (connectors): (connectors)',
      'SMS (connectors), DC-02 (EU): (EU)',
      'SMS (connectors), DC-03: (static)'
    ],
    'each once, but for footnotes and examples'
  )
  t.strictSame(
    warnings(page('SMS <Badge text="New" /> | DC-01 | <Tooltip tip="static">3.6.251.95</Tooltip>')).map(
      ({ value }) => value
    ),
    ['(static)', '(New)'],
    'also what tags say'
  )
  const band = htmlPage([{ heading: 'Campaigns', rows: [{ name: 'SMS', dataCenter: 'DC-01', ips: ['3.6.251.95'] }] }])
  t.strictSame(lines(warnings(band.replace('</tbody>', '<tr><td colspan=3>Ask us</td></tr></tbody>'))), [
    '"Ask us" was left aside.'
  ])
  t.match(refused(band.replace('</tbody>', '<tr><td colspan=3>Also 52.1.1.1</td></tr></tbody>')).cells, [
    { text: 'Also 52.1.1.1' }
  ])
})

t.test('addresses outside of the tables are reported, but for examples', async (t) => {
  const text = [
    'Also allow 52.1.1.1, and 52.1.2.0/24. Version 1.2.3 at 12:30:45; see 2001:db8::1, 2a00:1450::5 and 203.0.113.9.',
    page('SMS | DC-01 | 3.6.251.95'),
    'Again 3.6.251.95.',
    '| Format | Example |\n| - | - |\n| Exact | `203.0.113.5` |\n| Proxy | 52.1.1.3 |\n'
  ].join('\n\n')
  t.strictSame(
    warnings(text).map(({ value }) => value),
    ['52.1.1.1', '52.1.2.0/24', '2a00:1450::5', '52.1.1.3']
  )
  const many = Array.from({ length: 100 }, (_, i) => `52.1.1.${i}`).join(' ')
  t.equal(warnings(`${many}\n\n${page('SMS | DC-01 | 3.6.251.95')}`).length, 20)
  const script = htmlPage(current).replace('</body>', '<script>"52.1.1.1"</script><style>52.1.1.2</style></body>')
  t.strictSame(warnings(script), [])
})

t.test('a copy of the text from which cells got lost is refused with those cells', async (t) => {
  const lost = current.flatMap(({ rows }) => rows.filter(({ ips }) => Array.isArray(ips) && ips.length > 1))
  const { cells, message } = refused(textCopy(current))
  const empty = cells.filter((cell) => cell.message.startsWith('The cell is empty'))
  for (const { name, dataCenter } of lost) {
    const row = name === 'Catalog and Feeds' ? dataCenter : `${name}, ${dataCenter}`
    t.ok(
      empty.some((cell) => cell.row === row),
      row
    )
    t.match(message, `${row} | MoEngage IPs That Need Whitelisting: The cell is empty: its text got lost.`)
  }
  t.equal(empty.length, lost.length, 'no other cell is said to be lost')
})

t.test('a copy of the text from which nothing got lost is read', async (t) => {
  const whole = current
    .filter(({ heading }) => heading !== 'Catalog and Feeds')
    .map((section) => ({ ...section, rows: section.rows.filter(({ ips }) => !Array.isArray(ips) || ips.length === 1) }))
  const text = whole.map((section) => textCopy([section]).replace(/^.*\n/, '')).join('\n\n')
  const expected = bundled.rows.filter(
    ({ channel, addresses }) => channel !== 'catalog' && !(Array.isArray(addresses) && addresses.length > 1)
  )
  t.strictSame(importPage(text, about).snapshot.rows, expected)
})

t.test('a second row for the same cell has to say the same', async (t) => {
  t.strictSame(rows(page('SMS | DC-01 | 3.6.251.95, 52.1.1.1', 'SMS (custom) | DC-01 | 52.1.1.1 3.6.251.95')), [
    'DC-01 sms: 3.6.251.95 52.1.1.1'
  ])
  const conflicts: [first: string, second: string][] = [
    ['SMS | DC-01 | 3.6.251.95', 'SMS Campaigns | DC-01 | 52.1.1.1'],
    ['SMS | DC-01 | 3.6.251.95', 'SMS (custom) | DC-01, DC-02 | NA'],
    ['SMS | DC-01 | NA', 'SMS | All data centers | 3.6.251.95'],
    ['Content API | DC-01 | Same IPs as the channel', 'Content API | DC-01 | 3.6.251.95'],
    ['Voice | DC-01 | 3.6.251.95', 'voice | DC-01 | 52.1.1.1'],
    ['SMS | DC-07 | 3.6.251.95', 'SMS | DC-7 | 52.1.1.1'],
    ['SMS | DC-01 | 3.6.251.95', ' | DC-01 | 3.6.251.95']
  ]
  for (const [first, second] of conflicts) {
    t.match(refused(page(first, second)).cells, [{ column: 'MoEngage IPs', message: /^An earlier row/ }], second)
  }
})

t.test('names are taken from where the page writes them', async (t) => {
  const sms = ['DC-01 sms: 3.6.251.95', 'DC-02 sms: 52.1.1.1']
  const head = '<tr><th>Channel<th>Data Center<th>IPs</tr>'
  const layouts: [layout: string, text: string][] = [
    ['a name in every row', page('SMS | DC-01 | 3.6.251.95', 'SMS | DC-02 | 52.1.1.1')],
    ['a name above empty cells', page('SMS | DC-01 | 3.6.251.95', ' | DC-02 | 52.1.1.1')],
    ['a name in a row of its own', page('SMS | | ', ' | DC-01 | 3.6.251.95', ' | DC-02 | 52.1.1.1')],
    ['a name above rows that moved to the left', page('SMS | | ', 'DC-01 | 3.6.251.95', 'DC-02 | 52.1.1.1 |')],
    ['the heading', '# SMS Campaigns\n\n| DC | IPs |\n| - | - |\n| DC-01 | 3.6.251.95 |\n| DC-02 | 52.1.1.1 |\n'],
    [
      'a row across the table',
      '<table><tr><th>DC<th>IPs</tr><tr><td colspan=2>SMS</tr><tr><td>DC-01<td>3.6.251.95</tr><tr><td>DC-02<td>52.1.1.1</table>'
    ],
    [
      'other columns first',
      '| Data Center | IP addresses (static) | Region | Channel |\n| - | - | - | - |\n| DC-01 | 3.6.251.95 | US | SMS |\n| DC-02 | 52.1.1.1 | EU | SMS |\n'
    ],
    [
      'a name that spans to the end',
      `<table>${head}<tr><td rowspan=0>SMS<td>DC-01<td>3.6.251.95<tr><td>DC-02<td>52.1.1.1</table>`
    ],
    [
      'a name that spans too far',
      `<table>${head}<tr><td rowspan=99>SMS<td>DC-01<td>3.6.251.95<tr><td>DC-02<td>52.1.1.1</table>`
    ],
    [
      'spans without sense',
      `<table>${head}<tr><td rowspan=x colspan=-1>SMS<td>DC-01<td>3.6.251.95<tr><td>SMS<td>DC-02<td>52.1.1.1</table>`
    ],
    ['a header twice', page('SMS | DC-01 | 3.6.251.95', 'Channel | Data Center | IPs', 'SMS | DC-02 | 52.1.1.1')],
    [
      'a header of two lines',
      '<table><tr><th rowspan=2>Channel<th rowspan=2>Data Center<tr><td><th>IPs<tr><td>SMS<td>DC-01<td><td>3.6.251.95<tr><td>SMS<td>DC-02<td><td>52.1.1.1</table>'
    ],
    ['a row without anything', page('SMS | DC-01 | 3.6.251.95', ' | | ', 'SMS | DC-02 | 52.1.1.1')],
    [
      'a table inside of a table',
      `<table><tr><td>Layout<td><h2>IPs</h2><table>${head}<tr><td>SMS<td>DC-01<td>3.6.251.95<tr><td>SMS<td>DC-02<td>52.1.1.1</table></table>`
    ]
  ]
  for (const [layout, text] of layouts) t.strictSame(rows(text), sms, layout)
})

t.test('rows and tables that lost a part are refused with their cells', async (t) => {
  const head = '| Channel | Data Center | IPs |\n| - | - | - |\n'
  const damaged: [what: string, text: string, cell: object][] = [
    [
      'a name where rows repeat it',
      page('SMS | DC-01 | NA', 'SMS | DC-02 | NA', ' | DC-03 | NA'),
      { row: 'SMS, DC-03' }
    ],
    ['the first name', page(' | DC-01 | 3.6.251.95'), { row: 'DC-01', column: 'Channel', message: /missing/ }],
    ['all but the name', page('SMS | | ', 'Push | DC-01 | 3.6.251.95'), { row: 'SMS', message: /nothing but this/ }],
    ['all but the last name', page('Push | DC-01 | 3.6.251.95', 'SMS | | '), { row: 'SMS' }],
    [
      'all but the name, before a header',
      page('SMS | | ', 'Channel | Data Center | IPs', 'Push | DC-01 | NA'),
      { row: 'SMS' }
    ],
    [
      'addresses in the place of the name',
      page('SMS | DC-01 | NA', '3.6.251.95 | | ', ' | DC-02 | NA'),
      { text: '3.6.251.95' }
    ],
    ['a name that is an address', page('3.6.251.95 | DC-01 | NA'), { column: 'Channel', message: /address where/ }],
    ['a name that is struck out', page('~~SMS~~ | DC-01 | NA'), { column: 'Channel', message: /struck/ }],
    ['a name that is far too long', page(`${'SMS '.repeat(600)} | DC-01 | NA`), { column: 'Channel', message: /long/ }],
    ['a name and others', page('SMS<br />voice<br />Push | DC-01 | NA'), { column: 'Channel', message: /several/ }],
    ['a name of brackets', page('(custom) | DC-01 | NA'), { column: 'Channel', message: /missing/ }],
    [
      'an address in another column',
      '| Channel | Data Center | Notes | IPs |\n| - | - | - | - |\n| SMS | DC-01 | 3.6.251.95 | NA |\n',
      { column: 'Notes' }
    ],
    [
      'a header with two lists',
      '| Channel | Data Center | IPv4 addresses | IPv6 addresses |\n| - | - | - | - |\n| SMS | DC-01 | 3.6.251.95 | NA |\n',
      { column: 'header', message: /as addresses/ }
    ],
    [
      'a header with two data centers',
      '| Data Center | DC | IPs |\n| - | - | - |\n| DC-01 | DC-01 | 3.6.251.95 |\n',
      { column: 'header', message: /as data centers/ }
    ],
    [
      'the header',
      `${head.replace(/[A-Za-z]/g, '')}| SMS | DC-01 | 3.6.251.95 |\n`,
      { message: /no header/, text: '3.6.251.95' }
    ],
    [
      'the header of the data centers',
      `${head.replace('Data Center', '')}| SMS | DC-01 | 3.6.251.95 |\n`,
      { message: /no header/ }
    ],
    ['the header of the addresses', `${head.replace('IPs', '')}| SMS | DC-01 | NA |\n`, { message: /no header/ }],
    ['the data centers', '| Channel | IPs |\n| - | - |\n| SMS Campaigns | 3.6.251.95 |\n', { message: /no header/ }],
    [
      'rows above the header',
      '<table><tr><td>SMS<td>DC-01<td>NA</tr><tr><th>Channel<th>Data Center<th>IPs</tr><tr><td>Push<td>DC-01<td>3.6.251.95</table>',
      { row: 'SMS, DC-01, NA' }
    ],
    ['the heading', '| Data Center | IPs |\n| - | - |\n| DC-01 | 3.6.251.95 |\n', { row: 'DC-01', column: 'heading' }],
    [
      'the way to write an address without a pipe before it',
      page('SMS | DC-01 | 3.6.251.95', 'SMS | DC-02 | 3.6.251.96 | 3.6.251.97'),
      { row: 'SMS, DC-02', text: '3.6.251.97', message: /not headed/ }
    ],
    [
      'the end of a line, and most of the next one',
      page('SMS | DC-01 | NA || Push'),
      { row: 'SMS, DC-01', column: '', text: 'Push', message: /more cells/ }
    ],
    [
      'what belongs to the rows above, by an empty line',
      page('SMS | DC-01 | NA', 'SMS | DC-02 | 3.6.251.95').replace('| SMS | DC-02', '\n| SMS | DC-02'),
      { text: '| SMS | DC-02 | 3.6.251.95 |', message: /outside of any table/ }
    ]
  ]
  for (const [what, text, cell] of damaged) {
    const error = refused(`${text}\n# Rest\n\n${mdxPage(current.slice(1, 2))}`)
    t.match(error.cells[0], cell, what)
    t.equal(error.cells.length, 1, `${what}: ${error.message}`)
  }
})

t.test('a list that lost its line breaks is read by its marks, and a range stays a range', async (t) => {
  const table: [cell: string, addresses: string[]][] = [
    ['- 3.6.251.95 - 52.1.1.1 - 52.1.1.2', ['3.6.251.95', '52.1.1.1', '52.1.1.2']],
    ['-3.6.251.95 -52.1.1.1', ['3.6.251.95', '52.1.1.1']],
    ['– 3.6.251.95 – 52.1.1.1', ['3.6.251.95', '52.1.1.1']],
    ['+ 3.6.251.95 + 52.1.1.1/32', ['3.6.251.95', '52.1.1.1']],
    ['◦ 3.6.251.95 ◦ 2620:fe::/48', ['3.6.251.95', '2620:fe::/48']],
    ['1. 3.6.251.95 2. 52.1.1.1 3) 52.1.1.2', ['3.6.251.95', '52.1.1.1', '52.1.1.2']],
    ['- 3.6.251.95, 52.1.1.1 - 52.1.1.2', ['3.6.251.95', '52.1.1.1', '52.1.1.2']]
  ]
  for (const [cell, addresses] of table) {
    t.strictSame(rows(page(`SMS | DC-01 | ${cell}`)), [`DC-01 sms: ${addresses.join(' ')}`], cell)
  }
  t.strictSame(rows(page('SMS | - DC-01 - DC-02 | 3.6.251.95')), ['DC-01 sms: 3.6.251.95', 'DC-02 sms: 3.6.251.95'])
  for (const cell of [
    '3.6.251.95 - 3.6.251.99',
    '- 3.6.251.95-3.6.251.99',
    '<ul><li>3.6.251.95 - 3.6.251.99</li></ul>',
    '- 3.6.251.95 - - 52.1.1.1',
    '- 3.6.251.95 - 52.1.1.1 -'
  ]) {
    t.equal(refused(page(`SMS | DC-01 | ${cell}`)).cells.length, 1, cell)
  }
})

t.test(
  'a name whose list lost its line breaks is read, or refused: a channel never becomes an unknown row',
  async (t) => {
    for (const name of [
      'SMS Campaigns, Out-of-the-box connectors, Custom connectors',
      'SMS Campaigns - Out-of-the-box connectors - Custom connectors',
      'SMS Campaigns; Out-of-the-box connectors'
    ]) {
      const text = page(`${name} | DC-01 | 3.6.251.95`)
      t.strictSame(rows(text), ['DC-01 sms: 3.6.251.95'], name)
      t.match(lines(warnings(text)), [/"Out-of-the-box connectors.*" was left aside/], name)
    }
    t.strictSame(rows(page('- SMS Campaigns - Out-of-the-box connectors | DC-01 | 3.6.251.95')), [
      'DC-01 sms: 3.6.251.95'
    ])
    const lost: [name: string, message: RegExp][] = [
      [
        'SMS Campaigns Out-of-the-box providers',
        /names of rows that the page lacks for this data center: "SMS Campaigns"/
      ],
      ['All of the Outbound Segment Sync jobs', /: "Outbound Segment Sync"/],
      ['Custom providers, SMS Campaigns', /a channel that we know, and more/],
      ['SMS Campaigns, Voice, Push', /a channel that we know, and more/]
    ]
    for (const [name, message] of lost) {
      t.match(refused(page(`${name} | DC-01 | 3.6.251.95`)).cells, [{ message }], name)
    }
    const both = page('SMS Campaigns | DC-01 | 3.6.251.95', 'SMS Campaigns to Landlines | DC-01 | 52.1.1.1')
    t.match(
      importPage(both, about).snapshot.unknown,
      [{ name: 'SMS Campaigns to Landlines' }],
      'beside the row that we know'
    )
  }
)

t.test('a table with other values where addresses belong is left aside with a warning', async (t) => {
  const list = page('SMS | DC-01 | 3.6.251.95')
  const aside: [what: string, table: string, warning: RegExp][] = [
    [
      'a bucket for each region',
      '## Buckets\n\n| Data Center Region | Bucket |\n| - | - |\n| DC-01 | moengage-us |\n| DC-02 | NA |\n',
      /^"Data Center Region \| Bucket" was left aside/
    ],
    [
      'an address that is a name',
      '| Data Center | Bucket address |\n| - | - |\n| DC-01 | moengage-us |\n',
      /Bucket address/
    ]
  ]
  t.match(
    lines(
      warnings(
        `| Feature | Data Center | Bucket address |\n| - | - | - |\n| Exports | DC-01 | moengage-us |\n\n${list}`
      )
    ),
    [/^"Feature \| Data Center \| Bucket address" was left aside/],
    'without a heading above it'
  )
  for (const [what, table, message] of aside) {
    t.strictSame(rows(`${list}\n\n${table}`), ['DC-01 sms: 3.6.251.95'], what)
    t.match(lines(warnings(`${list}\n\n${table}`)), [message], what)
  }
  const refusedTables: [what: string, table: string][] = [
    ['of a known row', '| Channel | Data Center | IPs |\n| - | - | - |\n| Push | DC-01 | see below |\n'],
    [
      'with an address',
      '| Data Center | Bucket address |\n| - | - |\n| DC-01 | moengage-us |\n| DC-02 | 52.1.1.1 x |\n'
    ],
    ['that lost its text', '| Data Center | Bucket address |\n| - | - |\n| DC-01 | moengage-us |\n| DC-02 | |\n'],
    [
      'of a channel in its heading',
      '## Catalog and Feeds\n\n| Data Center | IPs |\n| - | - |\n| DC-01 | see below |\n'
    ],
    ['with the rest of an address', '## Buckets\n\n| Data Center | Bucket address |\n| - | - |\n| DC-01 | 52 |\n'],
    ['with the rest of an IPv6 address', '## Buckets\n\n| Data Center | IPs |\n| - | - |\n| DC-01 | 2a00 |\n'],
    ['of an unknown place', '| Data Center | Bucket address |\n| - | - |\n| Mumbai | moengage-us |\n']
  ]
  for (const [what, table] of refusedTables) t.ok(refused(`${list}\n\n${table}`).cells.length > 0, what)
})

t.test('an address from which nothing can come over the internet is a warning', async (t) => {
  const text = page(
    'SMS | DC-01 | 3.6.251.95',
    'Push | DC-04 | 10.22.3.193/32',
    'Email | DC-04 | 10.22.3.193/32, 198.51.100.7'
  )
  t.match(lines(warnings(text)), [
    /lists 10\.22\.3\.193, which is a private address: /,
    /lists 198\.51\.100\.7, which is for documentation: /
  ])
})

t.test('cells beyond the header are read as Markdown has them', async (t) => {
  const text = '| Channel | Data Center | IPs |\n| - | - | - |\nSMS | DC-01 | 3.6.251.95\n| Push | DC-01 | NA | |\n'
  t.strictSame(rows(text), ['DC-01 sms: 3.6.251.95', 'DC-01 push: NA'], 'empty ones mean nothing')
  t.strictSame(warnings(text), [])
  const other = '\n\n| Format | Example |\n| - | - |\n| a \\| b | c | d |\n'
  t.strictSame(warnings(page('SMS | DC-01 | 3.6.251.95') + other), [], 'tables of other things are not concerned')
  const piped = page('SMS | DC-01 | 3.6.251.95 | see \\| there')
  t.match(refused(piped).cells, [{ text: 'see | there', column: '' }])
})

t.test('an error names every cell, with its place, its text and what is wrong', async (t) => {
  const error = refused(page('SMS | DC-01 | 52.6.248.', 'Push | Mumbai | ', 'Email | DC-01 | 3.6.251.95'))
  t.match(error, { code: 'MOE_ERR_PAGE', value: about.page, docs: 'docs/errors.md#moe_err_page' })
  t.strictSame(
    error.cells.map(({ row, column, text }) => ({ row, column, text })),
    [
      { row: 'SMS, DC-01', column: 'MoEngage IPs', text: '52.6.248.' },
      { row: 'Push, Mumbai', column: 'Data Center', text: 'Mumbai' },
      { row: 'Push, Mumbai', column: 'MoEngage IPs', text: '' }
    ]
  )
  t.match(
    error.message,
    /^3 cells of the page could not be read, so nothing was taken from it:\n {2}- IPs \| SMS, DC-01 \| MoEngage IPs: .*\n.*It says "Mumbai"\.\n.*empty/
  )
  t.match(refused(page('SMS | DC-01 | ')).message, /^One cell of the page/)
})

t.test('a page without the tables is refused, and so is one that was cut', async (t) => {
  const whole = mdxPage(current)
  const pages: [what: string, text: string, message: RegExp][] = [
    ['nothing', '', /no table of addresses/],
    ['nothing that is known', page('Voice | DC-01 | 3.6.251.95'), /Every row of the page is unknown/],
    ['prose', '# IPs\n\nAllow all of 3.6.251.95.\n', /no table/],
    [
      'another table',
      '| Data Center | Dashboard |\n| - | - |\n| DC-01 | https://dashboard-01.moengage.com |\n',
      /no table/
    ],
    ['a header only', '| Channel | Data Center | IPs |\n| - | - | - |\n', /no table/],
    ['tables in a code block', `\`\`\`md\n${whole}\n\`\`\`\n`, /in a code block\?/],
    ['tables in a comment', `{/*\n${whole}\n*/}\n`, /no table/],
    ['tables in an HTML comment', `<!--\n${whole.replaceAll('-->', '')}\n-->\n`, /no table/],
    ['Markdown that is cut in a cell', whole.slice(0, whole.indexOf('18.195.110.23') + 8), /middle of a table row/],
    ['Markdown that is cut in a list', whole.slice(0, whole.indexOf('44.205.83.206') + 11), /middle of a table row/],
    [
      'a list that is not closed',
      page('SMS | DC-01 | <ul><li>3.6.251.95</li>'),
      /<ul> is never closed after "\\u\{2022\}3\.6\.251\.95"/
    ],
    ['a comment of MDX that never ends', `${whole}\n{/* to do\n`, /begins with \{\/\* never ends/],
    ['a comment of HTML that never ends', `${htmlPage(current)}<!-- to do`, /a comment never ends/],
    ['HTML that is cut in a tag', `${htmlPage(current)}<a href="`, /a tag never ends/],
    ['HTML that is cut', htmlPage(current).split('</tr>', 9).join('</tr>'), /<table> is never closed/]
  ]
  for (const [what, text, message] of pages) t.match(refused(text).message, message, what)
  t.throws(
    () => importPage(page('SMS | DC-01 | NA'), about),
    { code: 'MOE_ERR_SNAPSHOT' },
    'a page without any address'
  )
  t.throws(
    () => importPage(page('SMS | DC-01 | 0.0.0.0/0'), about),
    { code: 'MOE_ERR_SNAPSHOT' },
    'a page of all addresses'
  )
  t.throws(() => importPage(sample, { ...about, retrieved: 'today' }), /'today' is not a day/)
})

t.test('what MDX adds to Markdown does not hide a table', async (t) => {
  const table = page('SMS | DC-01 | 3.6.251.95')
  const pages: [what: string, text: string][] = [
    ['modules', `import { Ips } from './ips.mdx'\nimport './x.css'\nexport const title = 'IPs'\n${table}`],
    ['components before it', `<Card title="Old" hidden />\n<Note title="Old">\nx\n</Note>\n${table}`],
    ['a component around it', `<Note>\n${table}</Note>\n`],
    [
      'components and indentation',
      `<Tabs>\n  <Tab title="All">\n${table.replaceAll(/^\|/gm, '        |')}  </Tab>\n</Tabs>\n`
    ],
    ['a comment before it', `{/* | SMS | DC-01 | 52.1.1.1 | */}\n${table}{/* a */} {/* b\n*/}\n`],
    ['a comment of many lines', `{/*\n${page('SMS | DC-01 | 52.1.1.1')}*/}\n\n${table}`],
    ['code before it', `\`\`\`json\n{/* "error" \n\`\`\`\n\n${table}\n~~~~\n*/}\n~~~\n~~~~\n`],
    ['code in a line', `Use \`\`\`code\`\`\`.\n\n${table}`],
    [
      'a table in HTML',
      `<Frame>\n<table style={{ width: '100%' }}>\n<thead><tr><th>Channel</th><th>DC</th><th>IPs</th></tr></thead>\n<tbody><tr><td rowSpan={1}>SMS</td><td>DC-01</td><td>3.6.251.95</td></tr></tbody>\n</table>\n</Frame>\n`
    ]
  ]
  for (const [what, text] of pages) t.strictSame(rows(text), ['DC-01 sms: 3.6.251.95'], what)
})

t.test(
  'a component or element that hides a table, or whose title reverses it, is read however its tag is written',
  async (t) => {
    const around = (begin: string, end: string) => `${begin}\n\n${page('SMS | DC-01 | 3.6.251.95')}\n${end}\n`
    const reversed: [begin: string, end: string][] = [
      ['<Accordion title={"Deprecated IPs"}>', '</Accordion>'],
      ["<Accordion title={'Deprecated IPs'}>", '</Accordion>'],
      ['<Accordion title={`Deprecated IPs`}>', '</Accordion>'],
      ['<Accordion title={<b>Don\'t: Deprecated "IPs" {"}"}</b>}>', '</Accordion>'],
      ['<Accordion\n  title="Deprecated IPs"\n  icon="x"\n>', '</Accordion>'],
      ['<Accordion open title = "Deprecated > new" size=3>', '</Accordion>'],
      ['<Accordion onClick={() => "}"} title="Deprecated | new">', '</Accordion>'],
      ['<Accordion title="Deprecated IPs"><div>', '</div></Accordion>'],
      ['<Accordion title="Deprecated IPs">These were in use.', 'Until May.\n</Accordion>'],
      ['<Accordion>\n    <div title="Deprecated">', '</div>\n</Accordion>'],
      ['<Accordion>\n\n    # Deprecated', '</Accordion>'],
      ['<TabItem value="a" label="Deprecated IPs">', '</TabItem>'],
      ['<TabItem value="Deprecated">', '</TabItem>'],
      ['<Frame caption="Deprecated IPs">', '</Frame>'],
      ['<Card title="IPs" subTitle="Deprecated">', '</Card>'],
      ['<Update label="IPs" description="Deprecated in May">', '</Update>'],
      ['<Tooltip tip="Deprecated">', '</Tooltip>'],
      ['<Box ariaLabel="Deprecated">', '</Box>'],
      ['<Tabs.Tab name="Deprecated IPs">', '</Tabs.Tab>'],
      ["<Tabs items={['New', 'Deprecated']}>", '</Tabs>'],
      ['<Expandable header="Deprecated IPs">', '</Expandable>'],
      ['<section aria-label="Deprecated IPs">', '</section>'],
      [':::danger Deprecated IPs', ':::'],
      ['::: details Deprecated', ':::'],
      [':::warning[Deprecated IPs]', ':::'],
      ['{% tab title="Deprecated IPs" %}', '{% endtab %}'],
      ['{% callout title="Deprecated IPs" %}\n{% image /%}', '{% /callout %}']
    ]
    for (const [begin, end] of reversed) {
      const { cells } = refused(around(begin, end))
      t.match(cells, [{ column: 'header', message: /"(?:Deprecated|Don't)" may reverse/ }], begin)
      const closed = `${around(begin, end).replaceAll(/^\|.*\n/gm, '')}\n${page('SMS | DC-01 | 3.6.251.95')}`
      t.strictSame(rows(closed.replace('    # Deprecated', '')), ['DC-01 sms: 3.6.251.95'], `${begin} before the table`)
    }
    const hidden: [begin: string, end: string][] = [
      ['<Box\n  hidden\n>', '</Box>'],
      ["<Box id='a'\n hidden>", '</Box>'],
      ['<Tabs><Tab hidden>', '</Tab></Tabs>'],
      ['<Box hidden={true}>', '</Box>'],
      ['<Box hidden={isOld}>', '</Box>'],
      ['<Box style={hiddenStyle}>', '</Box>'],
      ["<Box style={{ display: isOld ? 'none' : 'block' }}>", '</Box>'],
      ["<Box style={{ ...old, color: 'red' }}>", '</Box>'],
      ['<Box {...rest}>', '</Box>'],
      ["<div\n  style={{ display: 'none' }}\n>", '</div>']
    ]
    for (const [begin, end] of hidden) t.match(refused(around(begin, end)).cells, [{ message: /It is hidden/ }], begin)
    const plain: [begin: string, end: string][] = [
      ['<div hidden={false}>', '</div>'],
      ['<Box hidden={undefined}>', '</Box>'],
      ["<Box style={{ overflowX: 'auto', opacity: 0.9, 'color': `red`, }}>", '</Box>'],
      ['<Accordion\n  title="Data"\n  defaultOpen={true}\n>', '</Accordion>'],
      [':::note', ':::'],
      ['{% tabs %}', '{% endtabs %}'],
      [':::', '{% endtab %}'],
      ['a <b, c> d and `<Tab x,>`', '<Card title="Old" hidden />'],
      ['```mdx\n<Accordion title="Deprecated">\n```', '']
    ]
    for (const [begin, end] of plain) t.strictSame(rows(around(begin, end)), ['DC-01 sms: 3.6.251.95'], begin)
    for (const tag of ['<Box title="Old', '<Box title={"Old"', '<Box title={', '<Box title=>', '<Box, title>']) {
      t.match(refused(around(tag, '</Box>')), { value: /^<Box/, message: /tag of a component cannot be read/ }, tag)
    }
    const html: [begin: string, end: string, message: RegExp][] = [
      ['<figure><figcaption>Deprecated IPs</figcaption>', '</figure>', /"Deprecated"/],
      ['<fieldset><legend>Deprecated IPs</legend>', '</fieldset>', /"Deprecated"/],
      ['<section aria-label="Deprecated IPs">', '</section>', /"Deprecated"/],
      ['<dialog>', '</dialog>', /hidden/],
      ['<div popover>', '</div>', /hidden/]
    ]
    for (const [begin, end, message] of html) {
      t.match(refused(withTable(`${begin}${tableOf(SMS)}${end}`)).cells, [{ message }], begin)
    }
    t.equal(rows(withTable(`<dialog open>${tableOf(SMS)}</dialog>`)).length, 2, 'an open dialog is seen')
  }
)

t.test('a tag that begins an item of a list is around the table in it', async (t) => {
  const table = page('SMS | DC-01 | 3.6.251.95')
  const reversed: [begin: string, end: string, message: RegExp][] = [
    ['<div hidden>', '</div>', /It is hidden/],
    ['<div style={{display: "none"}}>', '</div>', /It is hidden/],
    ['<Accordion title="Old IPs">', '</Accordion>', /"Old"/],
    ['<Accordion\n  title="Old IPs"\n>', '</Accordion>', /"Old"/],
    ['<details>\n  <summary>Not in use</summary>', '</details>', /"Not"/],
    ['<del>', '</del>', /struck/],
    [':::danger Old IPs', ':::', /"Old"/],
    ['{% tab title="Old IPs" %}', '{% endtab %}', /"Old"/]
  ]
  const item = (mark: string, begin: string, end: string) => {
    const indent = mark.replaceAll(/./g, ' ')
    return [mark + begin, table.trim(), end].join('\n\n').replaceAll(/\n(?=.)/g, `\n${indent}`)
  }
  for (const mark of ['- ', '* ', '+ ', '1. ', '12)  ', '  -   ', '- 1. ']) {
    for (const [begin, end, message] of reversed) {
      t.match(refused(item(mark, begin, end)).cells, [{ message }], mark + begin)
      t.match(refused(item(mark, `Text.\n\n${begin}`, end)).cells, [{ message }], `${mark}Text. ${begin}`)
    }
    t.match(refused(`${item(mark, '<div hidden>', '')}\n</div>\n`).cells, [{ message: /It is hidden/ }], mark)
    for (const begin of ['<Accordion title="IPs">', 'Text.\n\n<Accordion title="IPs">']) {
      t.strictSame(rows(item(mark, begin, '</Accordion>')), ['DC-01 sms: 3.6.251.95'], mark + begin)
    }
    const code = `${item(mark, '```md', '```')}\n\n${page('Push | DC-01 | 3.6.251.95')}`
    t.match(refused(code).cells[0], { message: /in a code block\?/ }, `code behind ${mark}`)
    const deepCode = `${item(mark, 'Text.\n\n    ```md', '    ```')}\n\n${page('Push | DC-01 | 3.6.251.95')}`
    t.match(refused(deepCode).cells[0], { message: /in a code block\?/ }, `deep code behind ${mark}`)
  }
})

t.test('an element that ends without its end tag may have a table below it: it is refused', async (t) => {
  const table = page('SMS | DC-01 | 3.6.251.95')
  const lost: [text: string, tag: string][] = [
    [`- [ ] <div hidden>\n\n${table}\n</div>\n`, '<div hidden>'],
    [`- Text <Accordion title="Old IPs">\n\n  Text\n\n${table}\n  </Accordion>\n`, '<accordion title="Old IPs">'],
    [`Text <Accordion title="Old IPs">\n\n${table}\n</Accordion>\n`, '<accordion title="Old IPs">'],
    [`- Text <details>\n  <summary>Not in use</summary>\n\n${table}\n</details>\n`, '<details>'],
    [`- > <div hidden>\n\n${table}\n</div>\n`, '<div hidden>'],
    [withTable(`<ul><li><div hidden></li></ul>${tableOf(SMS)}</div>`), '<div hidden>'],
    [withTable(`<ul><li><section title="${'Old '.repeat(50)}"></li></ul>`), `<section title="${'Old '.repeat(50)}`]
  ]
  for (const [text, tag] of lost) {
    const value = tag.slice(0, 80)
    t.match(refused(text), { value, message: /^The element ".*" is never closed where it begins/ }, text)
  }
  for (const text of [
    withTable('<p hidden>Old<p>IPs'),
    withTable('<ul><li hidden>Old<li>IPs</ul><img hidden><hr title="Old">'),
    withTable('<ul><li><div title="IPs"></li></ul>'),
    `## IPs <a name="old-ips" />\n\n${table}`,
    `- Text <Card title="Old IPs" />\n\n${table}`
  ]) {
    t.equal(importPage(text, about).snapshot.rows.length, 1, text)
  }
})

t.test('the format is told by the text, or by the caller', async (t) => {
  const html = `<div>\n\n    ${htmlPage(current).replace(/^.*<body>|<\/body>.*$/gs, '')}\n</div>`
  t.equal(importPage(html, about).snapshot.rows.length, 73)
  t.equal(importPage(`<?xml version="1.0"?>\n<!-- x -->${htmlPage(current)}`, about).snapshot.rows.length, 73)
  t.equal(importPage(`<div>x</div>\n\n${mdxPage(current)}`, about).snapshot.rows.length, 73)
  t.match(refused(mdxPage(current), { format: 'html' }).message, /outside of any table/)
  t.equal(importPage(mdxPage(current), { ...about, format: 'markdown' }).snapshot.rows.length, 73)
})
