import type { Grant } from '../directory/directory.js'
import { DATA_CENTERS } from '../directory/names.js'
import type { Snapshot } from '../directory/snapshot.js'

/** A prefix of one address is shown as the address. */
export function addressText(prefix: string): string {
  return prefix.replace(prefix.includes(':') ? /\/128$/ : /\/32$/, '')
}

/** Grants by data center: `DC-01 (connector, sms), DC-02 (sms)`. */
export function grantsText(grants: readonly Grant[]): string {
  return DATA_CENTERS.flatMap((dataCenter) => {
    const channels = grants.filter((grant) => grant.dataCenter === dataCenter).map(({ channel }) => channel)
    return channels.length === 0 ? [] : [`${dataCenter} (${channels.join(', ')})`]
  }).join(', ')
}

/** A text that came with a list, in one line: it must not move the cursor, nor end the code it is quoted in. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}`]+/gu, ' ')
}

/** Which list was used: two lines, because a page's URL is long. */
export function provenanceText({ page, revision, retrieved }: Snapshot['provenance']): string {
  return `Revision ${printable(revision).slice(0, 12)} of ${retrieved}, from\n${printable(page)}`
}

/** Rows as columns, each as wide as its widest text, two spaces between. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    for (const [i, text] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, text.length)
  }
  return rows
    .map((row) =>
      row
        .map((text, i) => text.padEnd(widths[i]!))
        .join('  ')
        .trimEnd()
    )
    .join('\n')
}
