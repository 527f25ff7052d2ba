/** Pages written for the tests, in the layouts that MoEngage's help page has had. */
import { readFileSync } from 'node:fs'
import type { Channel, DataCenter, Snapshot } from '../../src/core.js'
import { fixture, fixtureText } from '../support/fixtures.js'

export interface TableRow {
  readonly name: string
  readonly dataCenter: string
  readonly ips: readonly string[] | 'NA' | 'derived'
}

export interface Section {
  readonly heading: string
  readonly rows: readonly TableRow[]
}

export const sample = fixtureText('page-tables-sample.mdx')
export const bundled: Snapshot = JSON.parse(
  readFileSync(new URL('../../src/directory/moengage.json', import.meta.url), 'utf8')
)

const facts: { rows: (TableRow & { section: string })[] } = fixture('allowlist-facts.json')

/** What the current page says, by section. */
export const current: readonly Section[] = [...new Set(facts.rows.map((row) => row.section))].map((heading) => ({
  heading,
  rows: facts.rows.filter((row) => row.section === heading)
}))

export const DERIVED =
  'PII and Content API use the same IPs as that of the channel. So allow the IPs of all campaign channels that you use.'

/** How a page writes its cells; the defaults are plain. */
export interface Style {
  readonly name?: (name: string) => string
  readonly dataCenter?: (name: string) => string
  readonly ips?: (ips: readonly string[]) => string
  readonly na?: string
}

export const inList = (ips: readonly string[]) =>
  ips.length === 1 ? ips[0]! : `<ul>${ips.map((ip) => `<li>${ip}</li>`).join('')}</ul>`

const plain = { name: (name: string) => name, dataCenter: (name: string) => name, ips: inList, na: 'NA' }

function cells({ name, dataCenter, ips }: TableRow, style: Style) {
  const how = { ...plain, ...style }
  const address = ips === 'NA' ? how.na : ips === 'derived' ? DERIVED : how.ips(ips)
  return { name: how.name(name), dataCenter: how.dataCenter(dataCenter), address }
}

const isOneChannel = ({ heading, rows }: Section) => rows.every((row) => row.name === heading)

/** Markdown tables with HTML in their cells, a name in every row. */
export function mdxPage(sections: readonly Section[], style: Style = {}): string {
  return sections
    .map((section) => {
      const named = !isOneChannel(section)
      const head = `${named ? `| ${section.heading} ` : ''}| Data Center | MoEngage IPs That Need Whitelisting |`
      const lines = section.rows.map((row) => {
        const { name, dataCenter, address } = cells(row, style)
        return `${named ? `| ${name} ` : ''}| ${dataCenter} | ${address} |`
      })
      const rule = named ? '| --- | --- | --- |' : '| --- | --- |'
      return `### ${section.heading}\n\n${[head, rule, ...lines].join('\n')}\n`
    })
    .join('\n')
}

/** HTML tables in which a name spans its rows, as the help centre has them. */
export function htmlPage(sections: readonly Section[], style: Style = {}): string {
  const tables = sections.map((section) => {
    const named = !isOneChannel(section)
    const names = [...new Set(section.rows.map((row) => row.name))]
    const lines = names.flatMap((name) => {
      const rows = section.rows.filter((row) => row.name === name)
      const areDerived = rows.every((row) => row.ips === 'derived')
      return rows.map((row, i) => {
        const { name, dataCenter, address } = cells(row, style)
        const nameCell = named && i === 0 ? `<td rowspan="${rows.length}"><p>${name}</p></td>` : ''
        const span = areDerived ? ` rowspan="${rows.length}"` : ''
        const addressCell = areDerived && i > 0 ? '' : `<td${span}>${address}</td>`
        return `<tr>${nameCell}<td>${dataCenter}</td>${addressCell}</tr>`
      })
    })
    const head = `${named ? `<th>${section.heading}</th>` : ''}<th>Data Center</th><th>MoEngage IPs That Need Whitelisting</th>`
    return `<h3>${section.heading}</h3><table><thead><tr>${head}</tr></thead><tbody>${lines.join('\n')}</tbody></table>`
  })
  return `<!doctype html><html><head><title>IPs</title></head><body>${tables.join('\n')}</body></html>`
}

/** A copy of the page's text: names no longer span their rows, lists are gone, and so are the lines between the tables. */
export function textCopy(sections: readonly Section[]): string {
  return sections
    .map((section) => {
      const named = !isOneChannel(section)
      const head = `${named ? `${section.heading} | ` : ''}Data Center | MoEngage IPs That Need Whitelisting |`
      const names = [...new Set(section.rows.map((row) => row.name))]
      const lines = names.flatMap((name) => {
        const rows = section.rows.filter((row) => row.name === name)
        return [
          ...(named ? [name, '|'] : []),
          ...rows.flatMap(({ dataCenter, ips }, i) => {
            if (Array.isArray(ips) && ips.length > 1) return [`${dataCenter} |`, '|', '|']
            const text = ips === 'derived' ? (i === 0 ? DERIVED : '') : ips
            return [`${dataCenter} | ${text} |${named ? ' |' : ''}`]
          })
        ]
      })
      return [section.heading, head, named ? '---|---|---|' : '---|---|', ...lines].join('\n')
    })
    .join('\n')
}

/** A page of one table with three columns. */
export const page = (...rows: readonly string[]) =>
  `## IPs\n\n| Channel | Data Center | MoEngage IPs |\n| --- | --- | --- |\n${rows.map((row) => `| ${row} |`).join('\n')}\n`

export const about = { page: 'https://docs.example/ips', retrieved: '2027-01-31' }

export type Listed = readonly [dataCenter: DataCenter, channel: Channel, addresses: unknown]
