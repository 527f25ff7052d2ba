import { Command } from 'commander'
import { type CellChange, type DirectoryDiff, diffDirectories } from '../directory/diff.js'
import { jsonOption, readList } from './input.js'
import { Exit, type Io, writeJson } from './io.js'
import { addressText, grantsText, printable, type Style, styleFor } from './text.js'

const EXAMPLES = `
A list is "bundled", a snapshot or a help page (a file or https URL), or "-" for
standard input. The text is Markdown, for the body of a pull request.

Exit codes: 0 the same, 1 different, 2 an error.

Examples:
  $ moengage-allowlist diff bundled moengage.json
  $ moengage-allowlist diff moengage.json https://example.com/help-page.mdx
  $ git show HEAD:moengage.json | moengage-allowlist diff - moengage.json --json`

/** `diff`: the changes from one list to another. */
export function diffCommand(io: Io): Command {
  return new Command('diff')
    .description('compare two lists: addresses added, removed and moved; exit code 1 when they differ')
    .argument('<old>', 'the list in use')
    .argument('<new>', 'the list to compare it with')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (old: string, now: string, { json }: { json?: true }) => {
      const diff = diffDirectories(await readList(old, io), await readList(now, io))
      if (json) writeJson(io.stdout, diff)
      else io.stdout.write(diffText(diff, styleFor(io)))
      if (!diff.same) throw new Exit(1)
    })
}

function diffText(diff: DirectoryDiff, style: Style): string {
  const versions = `from ${versionText(diff.before)} to ${versionText(diff.after)}`
  if (diff.same) return `No address changed ${versions}.\n`
  const sections = [
    section(
      style('green', 'Added'),
      diff.added.map(({ prefix, grants }) => `${code(prefix)}: ${grantsText(grants)}`)
    ),
    section(
      style('red', 'Removed'),
      diff.removed.map(({ prefix, grants }) => `${code(prefix)}: was ${grantsText(grants)}`)
    ),
    section(
      style('yellow', 'Moved'),
      diff.moved.map(({ prefix, lost, gained }) => {
        if (lost.length === 0) return `${code(prefix)}: now also ${grantsText(gained)}`
        if (gained.length === 0) return `${code(prefix)}: no longer ${grantsText(lost)}`
        return `${code(prefix)}: ${grantsText(lost)} → ${grantsText(gained)}`
      })
    ),
    section(
      style('bold', 'Cells'),
      diff.cells.map(
        ({ dataCenter, channel, from, to }) => `${dataCenter} ${channel}: ${cellText(from)} → ${cellText(to)}`
      )
    ),
    section(
      style('bold', 'Rows that this version does not know'),
      diff.unknown.map(({ dataCenter, name, from, to }) => {
        return `\`${printable(dataCenter)}\` \`${printable(name)}\`: ${cellText(from)} → ${cellText(to)}`
      })
    )
  ]
  return `MoEngage's list changed ${versions}.\n${sections.join('')}`
}

function section(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return ''
  return `\n### ${title} (${lines.length})\n\n${lines.map((line) => `- ${line}\n`).join('')}`
}

const code = (prefix: string) => `\`${addressText(prefix)}\``

function versionText({ revision, retrieved, checked }: DirectoryDiff['before']): string {
  const last = checked === undefined ? '' : `, checked ${checked}`
  return `revision \`${printable(revision).slice(0, 12)}\` (${retrieved}${last})`
}

function cellText(cell: CellChange['from']): string {
  if (cell === null) return 'no row'
  if (cell === 'NA') return 'NA'
  return 'derivedFrom' in cell ? `those of ${cell.derivedFrom.join(', ')}` : cell.map(code).join(', ')
}
