import { Command } from 'commander'
import { addressText } from '../directory/about-address.js'
import { HISTORY, type HistoryCell, type HistoryEntry } from '../directory/history.js'
import type { Cell } from '../directory/snapshot.js'
import { jsonOption } from './input.js'
import { type Io, writeJson } from './io.js'
import { printable, type Style, styleFor } from './text.js'

const EXAMPLES = `
The revisions of MoEngage's page that are known, the oldest first, and what each
changed. A day or an order that is inferred is marked; the reason follows.

Examples:
  $ moengage-allowlist history
  $ moengage-allowlist history --json`

/** `history`: the known revisions of MoEngage's page. */
export function historyCommand(io: Io): Command {
  return new Command('history')
    .description("print the known revisions of MoEngage's page, and what each added and removed")
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(({ json }: { json?: true }) => {
      if (json) writeJson(io.stdout, HISTORY)
      else io.stdout.write(historyText(HISTORY, styleFor(io)))
    })
}

/** Revisions as text, the oldest first. */
export const historyText = (entries: readonly HistoryEntry[], style: Style) =>
  entries.map((entry, i) => entryText(entry, i === 0, style)).join('\n')

function entryText(entry: HistoryEntry, isFirst: boolean, style: Style): string {
  const { revision, page, seen, inferred, cells } = entry
  const changes = isFirst ? firstText(entry) : cells.map((cell) => `  ${cellText(cell, style)}\n`).join('')
  return [
    `${style('bold', printable(revision).slice(0, 40))} (${seen === null ? 'day not known' : `seen ${seen}`})\n`,
    `  ${printable(page)}\n`,
    changes === '' ? '  No address changed.\n' : changes,
    inferred === null ? '' : `  Inferred: ${printable(inferred)}\n`
  ].join('')
}

const firstText = ({ added, cells }: HistoryEntry) => `  ${added.length} addresses in ${cells.length} cells.\n`

function cellText({ dataCenter, channel, from, to }: HistoryCell, style: Style): string {
  const name = `${dataCenter} ${channel}:`
  if (!isList(from) || !isList(to)) return `${name} ${contentText(from)} → ${contentText(to)}`
  const added = to.filter((address) => !from.includes(address)).map((address) => style('green', `+${address}`))
  const removed = from.filter((address) => !to.includes(address)).map((address) => style('red', `-${address}`))
  return `${name} ${[...added, ...removed].join(' ')}`
}

const isList = (cell: Cell | null): cell is readonly string[] => Array.isArray(cell)

/** A cell in words, for people. */
function contentText(cell: Cell | null): string {
  if (cell === null) return 'no row'
  if (isList(cell)) return cell.map(addressText).join(', ')
  return cell === 'NA' ? 'NA' : `those of ${(cell as { derivedFrom: readonly string[] }).derivedFrom.join(', ')}`
}
