import fc from 'fast-check'
import t from 'tap'
import { CHANNELS, type Channel, DATA_CENTERS, PageError } from '../../src/core.js'
import { rowName } from '../../src/directory/names.js'
import { importPage } from '../../src/help-page/import-page.js'
import { runs } from '../support/properties.js'
import { about, htmlPage, inList, mdxPage, type Section, type Style, textCopy } from './pages.js'

const address = fc.oneof(
  fc.ipV4().map((text) => text.replace(/^(?:0|127)\./, '52.')),
  fc.integer({ min: 1, max: 0xffff }).map((part) => `2a00:1450:${part.toString(16)}::/48`),
  fc.integer({ min: 0, max: 255 }).map((part) => `52.1.${part}.0/24`)
)
const ips = fc.oneof(fc.constant('NA' as const), fc.uniqueArray(address, { minLength: 1, maxLength: 6 }))
const channels = fc.constantFrom<readonly Channel[]>(
  ...[CHANNELS.slice(0, 3), CHANNELS.slice(3, 5), CHANNELS.slice(6, 9), CHANNELS.slice(9, 11), ['catalog' as const]]
)
const section = channels.chain((some) =>
  fc
    .tuple(
      fc.subarray([...some], { minLength: 1 }),
      fc.subarray([...DATA_CENTERS], { minLength: 1, maxLength: 4 }),
      fc.array(ips, { minLength: 12, maxLength: 12 })
    )
    .map(([names, dataCenters, cells]): Section => {
      const rows = names.flatMap((name, i) =>
        dataCenters.map((dataCenter, j) => ({ name: rowName(name), dataCenter, ips: cells[i * 4 + j]! }))
      )
      return { heading: some.length === 1 ? rowName(some[0]!) : `Table of ${some.length} rows`, rows }
    })
)
/** Tables of which no two have a row in common. */
const sections = fc
  .uniqueArray(section, {
    minLength: 1,
    maxLength: 4,
    selector: ({ rows }) => CHANNELS.findIndex((channel) => rowName(channel) === rows[0]!.name)
  })
  .filter((tables) => {
    const keys = tables.flatMap(({ rows }) => rows.map(({ name, dataCenter }) => `${name} ${dataCenter}`))
    return new Set(keys).size === keys.length && tables.some(({ rows }) => rows.some((row) => row.ips !== 'NA'))
  })

/** In these an empty line is layout; that one of their addresses got lost cannot be told. */
const inLines = (ips: readonly string[]) => ips.join('<br />')
const inParagraphs = (ips: readonly string[]) => ips.map((ip) => `<p><code>${ip}</code></p>`).join('')

const decoration: fc.Arbitrary<Style> = fc.record({
  name: fc.constantFrom<(name: string) => string>(
    (name) => name,
    (name) => `${name}<br />For example, SFTP, and so on.`,
    (name) => `<strong>${name}</strong> (custom, v2)`,
    (name) => `${name}<sup>1</sup>`,
    (name) => `${name.toUpperCase()}:`,
    (name) => `${name}<ul><li>Out-of-the-box</li><li>Private ESP</li></ul>`
  ),
  dataCenter: fc.constantFrom<(name: string) => string>(
    (name) => name,
    (name) => name.toLowerCase().replace('-', '_'),
    (name) => `<b>${name}</b> (region)`,
    (name) => `${name}*`,
    (name) => `<ul><li>${name}</li></ul>`
  ),
  ips: fc.constantFrom<(ips: readonly string[]) => string>(
    inList,
    inLines,
    inParagraphs,
    (ips) => ips.join(', '),
    (ips) => `<ol>${ips.map((ip) => `<li> <span>${ip}</span> (static)</li>`).join(' ')}</ol>`,
    (ips) => ips.map((ip) => `- ${ip}[^1]`).join('<br>')
  ),
  na: fc.constantFrom('NA', 'n/a', '-', '—', 'Not applicable', '<em>NA</em>')
})
const layout = fc.constantFrom(mdxPage, htmlPage)

/** What a page says, independently of the importer: `name, data center` → sorted addresses. */
const said = (tables: readonly Section[]) =>
  tables
    .flatMap(({ rows }) => rows)
    .map(
      ({ name, dataCenter, ips }) => `${name}, ${dataCenter}: ${Array.isArray(ips) ? ips.toSorted().join(' ') : ips}`
    )
    .sort()

const read = (text: string) =>
  importPage(text, about)
    .snapshot.rows.map(
      ({ channel, dataCenter, addresses }) =>
        `${rowName(channel)}, ${dataCenter}: ${Array.isArray(addresses) ? addresses.toSorted().join(' ') : addresses}`
    )
    .sort()

t.test('a page gives the cells that were written to it, in any layout and decoration', async () => {
  fc.assert(
    fc.property(sections, decoration, layout, (tables, style, write) => {
      t.strictSame(read(write(tables, style)), said(tables))
    }),
    runs(300)
  )
})

t.test('the layout does not change the revision', async () => {
  fc.assert(
    fc.property(sections, decoration, (tables, style) => {
      const revision = (text: string) => importPage(text, about).snapshot.provenance.revision
      t.equal(revision(mdxPage(tables, style)), revision(htmlPage([...tables].reverse())))
    }),
    runs(100)
  )
})

t.test('a page from which the text of one cell got lost is refused, and the cell is named', async () => {
  fc.assert(
    fc.property(
      sections,
      layout,
      fc.nat(),
      fc.constantFrom('name', 'dataCenter', 'address'),
      (tables, write, at, part) => {
        const rows = tables.flatMap(({ heading, rows }) => rows.map((row) => ({ row, heading })))
        const { row, heading } = rows[at % rows.length]!
        // In a layout with spans a name stands in one place, and where the heading is the name there is none in the table.
        if (part === 'name' && (write === htmlPage || heading === row.name)) return
        const lost = {
          ...row,
          ...(part === 'name' ? { name: '' } : part === 'dataCenter' ? { dataCenter: '' } : { ips: [''] })
        }
        const damaged = tables.map((table) => ({
          ...table,
          rows: table.rows.map((other) => (other === row ? lost : other))
        }))
        const text = write(damaged)
        const error = errorOf(text)
        // A row that alone has its name may belong to the name above it; where it is missing is reported.
        const isOnly = rows.filter(({ row: { name } }) => name === row.name).length === 1
        if (part === 'name' && isOnly && error === undefined) return
        // Below a row of its own name, the name above it is the right one.
        if (part === 'name' && error === undefined && `${read(text)}` === `${said(tables)}`) return
        if (!(error instanceof PageError && error.cells.length > 0)) throw new Error(`accepted: ${text}`)
      }
    ),
    runs(300)
  )
})

t.test('a page of which an address got damaged is refused', async () => {
  fc.assert(
    fc.property(sections, decoration, layout, fc.nat(), fc.nat(), (tables, style, write, at, by) => {
      const lists = tables.flatMap(({ rows }) => rows.filter(({ ips }) => Array.isArray(ips)))
      const row = lists[at % lists.length]!
      const [first, ...rest] = row.ips as readonly string[]
      const damage = [
        (ip: string) => ip.replace(/[.:].*$/, ''),
        (ip: string) => `${ip}.`,
        (ip: string) => `${ip}${ip}`,
        (ip: string) => ip.replace(/[.:]/, ' '),
        (ip: string) => `x${ip}`,
        (ip: string) => `${ip} ${ip.slice(0, 2)}`,
        () => ''
      ]
      const damagedIp = damage[by % damage.length]!(first!)
      if (damagedIp === '' && rest.length > 0 && (style.ips === inLines || style.ips === inParagraphs)) return
      const damaged = { ...row, ips: [damagedIp, ...rest] }
      const text = write(
        tables.map((table) => ({ ...table, rows: table.rows.map((other) => (other === row ? damaged : other)) })),
        style
      )
      mustRefuse(text)
    }),
    runs(300)
  )
})

t.test('a page of which something is hidden or struck out is refused, and no other part of it is taken', async () => {
  const flaw = fc.constantFrom(
    'hidden',
    'style="display:none"',
    'style="color: red; visibility: hidden"',
    'style="text-decoration: line-through"'
  )
  const wrapper = fc.constantFrom('div', 'section', 'article', 'del', 's')
  fc.assert(
    fc.property(sections, decoration, flaw, fc.nat(), (tables, style, attribute, at) => {
      const text = htmlPage(tables, style)
      const tags = [...text.matchAll(/<(?:table|thead|tbody|tr|td|th)\b/g)]
      const { index, 0: tag } = tags[at % tags.length]!
      const flawed = `${text.slice(0, index)}${tag} ${attribute}${text.slice(index + tag.length)}`
      mustRefuse(flawed)
    }),
    runs(300)
  )
  fc.assert(
    fc.property(sections, decoration, layout, flaw, wrapper, fc.nat(), (tables, style, write, attribute, tag, at) => {
      const heading = tables[at % tables.length]!
      const wrapped = `<${tag} ${attribute}>\n\n${write([heading], style)}\n\n</${tag}>\n`
      const text = [...tables.filter((table) => table !== heading).map((table) => write([table], style)), wrapped].join(
        '\n\n'
      )
      mustRefuse(text)
    }),
    runs(200)
  )
})

t.test('a page on which words say that a part of it does not hold is refused', async () => {
  const words = fc.constantFrom(
    'no longer used',
    'deprecated',
    'until May',
    'except OTP',
    'Retired on 1 May',
    "don't use"
  )
  fc.assert(
    fc.property(sections, layout, words, fc.nat(), fc.boolean(), (tables, write, words, at, inName) => {
      const { rows } = tables[at % tables.length]!
      const damaged = tables.map((table) =>
        table.rows !== rows
          ? table
          : inName && table.heading !== rows[0]!.name
            ? { ...table, rows: rows.map((row) => ({ ...row, name: `${row.name} (${words})` })) }
            : inName
              ? { ...table, rows: rows.map((row) => ({ ...row, dataCenter: `${row.dataCenter} (${words})` })) }
              : { heading: `${table.heading} (${words})`, rows: rows }
      )
      mustRefuse(write(damaged))
    }),
    runs(200)
  )
})

t.test('a copy of the text is read as a whole or refused', async () => {
  fc.assert(
    fc.property(sections, (tables) => {
      const named = tables.filter(({ heading, rows }) => rows[0]!.name !== heading)
      const text = named.map((table) => textCopy([table])).join('\n\n')
      const error = errorOf(text)
      if (error === undefined) t.strictSame(read(text), said(named))
      else t.match((error as PageError).code, /^MOE_ERR_(?:PAGE|SNAPSHOT)$/)
    }),
    runs(100)
  )
})

t.test('any text is read or refused, and nothing else happens', async () => {
  const scraps = fc.constantFrom(
    '|',
    '\n',
    '<td>',
    '<table>',
    '</table>',
    'DC-01',
    ' SMS ',
    '3.6.251.95',
    '---',
    '<ul><li>',
    '{/*',
    '*/}',
    '```',
    '(',
    ')',
    '\u0000',
    '<!--',
    '&',
    'IPs',
    'Data Center',
    'Channel'
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(scraps, fc.string()), { maxLength: 60 }), (parts) => {
      const error = errorOf(parts.join(''))
      if (error !== undefined) t.match((error as PageError).code, /^MOE_ERR_(?:PAGE|SNAPSHOT)$/)
    }),
    runs(500)
  )
})

function mustRefuse(text: string): void {
  if (!(errorOf(text) instanceof PageError)) throw new Error(`accepted: ${text}`)
}

function errorOf(text: string): unknown {
  try {
    importPage(text, about)
    return undefined
  } catch (error) {
    return error
  }
}
