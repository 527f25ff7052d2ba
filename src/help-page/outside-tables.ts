import type { Snapshot } from '../directory/snapshot.js'
import type { PageCell, Problem } from '../errors.js'
import { Prefix, readPrefix } from '../ip/prefix.js'
import { specialPurpose } from '../ip/special.js'
import { quoted } from '../lib/text.js'
import type { Table } from './html.js'

const DATA_CENTER = /^(?:all )?(?:dc|data[ -]?cent(?:er|re)s?)\b/i

/**
 * Rows that became text because the line before them is empty or broken: in Markdown that ends a table. Only lines with pipes
 * and the name of a data center are reported.
 */
export function rowsOutside(prose: string): PageCell[] {
  return prose
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => {
      const parts = line.split('|')
      return parts.length > 2 && parts.some((part) => DATA_CENTER.test(part.trim()))
    })
    .map((line) => ({
      table: '',
      row: line.slice(0, 60),
      column: '',
      text: line,
      message:
        'It looks like a row, but is outside of any table: is the line before it empty, or is it in a code block?'
    }))
}

const MAX_WARNINGS = 20

/**
 * A warning for each public address of the page that is in no table that was read: a list may have moved into the text. Addresses
 * for special purposes are examples.
 */
export function strayAddresses(prose: string, unread: readonly Table[], snapshot: Snapshot): Problem[] {
  const listed = new Set(
    [...snapshot.rows, ...(snapshot.unknown ?? [])].flatMap(({ addresses }) =>
      Array.isArray(addresses) ? addresses : []
    )
  )
  const texts = [prose, ...unread.flatMap(({ rows }) => rows.flatMap((row) => row.map((slot) => slot.text)))]
  const stray = new Set<string>()
  for (const text of texts) {
    for (const [word] of text.matchAll(/[\da-f.:/]{7,60}/gi)) {
      const written = word.replace(/^[./]+|[./:]+$/g, '')
      const prefix = readPrefix(written)
      if (!(prefix instanceof Prefix) || listed.has(written)) continue
      if (specialPurpose(prefix) === undefined) stray.add(written)
    }
  }
  return [...stray].slice(0, MAX_WARNINGS).map((address) => ({
    code: 'MOE_WARN_PAGE',
    path: 'page',
    value: address,
    message: `${quoted(address)} is on the page, but in no table of addresses by data center.`,
    fix: 'Check on the page whether it belongs to the list.'
  }))
}
