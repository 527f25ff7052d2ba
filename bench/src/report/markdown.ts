import type { Spread } from '../measure/statistics.js'

/** A table in Markdown; the first column is text, the others are aligned to the right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(header), line(header.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

/** Three digits that matter, with thousands set apart. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (value === 0) return '0'
  const places = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  const rounded = places > 0 ? Number(value.toFixed(Math.min(places, 3))) : Number(value.toPrecision(3))
  return rounded.toLocaleString('en-US', { maximumFractionDigits: 3 })
}

/** A median with its quartiles. */
export function quartiles({ median, low, high }: Spread, unit = ''): string {
  return `${digits(median)}${unit} (${digits(low)}–${digits(high)})`
}

/** A difference in per cent, with its sign and one decimal. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return '–'
  return `${share < 0 ? '−' : '+'}${Math.abs(share * 100).toFixed(1)} %`
}

/** How far ratios are from 1, as a difference in per cent with its quartiles. */
export function difference({ median, low, high }: Spread): string {
  return `${percent(median - 1)} (${percent(low - 1)} to ${percent(high - 1)})`
}
