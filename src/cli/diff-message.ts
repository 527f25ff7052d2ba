import { addressText, grantsText } from '../directory/about-address.js'
import type { CellChange, DirectoryDiff } from '../directory/diff.js'
import { printable, type Style } from './text.js'

/** How a message writes its parts. What is quoted has no control characters and no backticks. */
interface Markup {
  readonly code: (text: string) => string
  readonly heading: (text: string, style: Parameters<Style>[0]) => string
  readonly bullet: string
}

/** Maximum number of lines of one section of a message for a chat. */
const MOST_LINES = 20

/** Markdown, for the body of a pull request or an issue. Quoted text stands in code, where Markdown has no meaning. */
export function markdownMessage(diff: DirectoryDiff, style: Style): string {
  return message(diff, {
    code: (text) => `\`${printable(text)}\``,
    heading: (text, format) => `### ${text.replace(/^[^(]+(?= )/, (title) => style(format, title))}\n`,
    bullet: '-'
  })
}

/** The body of a request to an incoming webhook of Slack: JSON with the text in mrkdwn. */
export function slackMessage(diff: DirectoryDiff): string {
  const text = message(
    diff,
    { code: (text) => `\`${escaped(printable(text))}\``, heading: (text) => `*${text}*`, bullet: '•' },
    MOST_LINES
  )
  return `${JSON.stringify({ text: text.trimEnd() })}\n`
}

/** Slack reads these three characters as links, mentions and entities, also in code. */
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

function message(diff: DirectoryDiff, markup: Markup, mostLines = Number.POSITIVE_INFINITY): string {
  const { code } = markup
  const versions = `from ${versionText(diff.before, code)} to ${versionText(diff.after, code)}`
  if (diff.same) return `No address changed ${versions}.\n`
  const section = (title: string, style: Parameters<Style>[0], lines: readonly string[]) => {
    if (lines.length === 0) return ''
    const shown =
      lines.length > mostLines ? [...lines.slice(0, mostLines), `and ${lines.length - mostLines} more`] : lines
    const heading = markup.heading(`${title} (${lines.length})`, style)
    return `\n${heading}\n${shown.map((line) => `${markup.bullet} ${line}\n`).join('')}`
  }
  const address = (prefix: string) => code(addressText(prefix))
  const cellText = (cell: CellChange['from']) => {
    if (cell === null) return 'no row'
    if (cell === 'NA') return 'NA'
    return 'derivedFrom' in cell ? `those of ${cell.derivedFrom.join(', ')}` : cell.map(address).join(', ')
  }
  return [
    `MoEngage's list changed ${versions}.\n`,
    section(
      'Added',
      'green',
      diff.added.map(({ prefix, grants }) => `${address(prefix)}: ${grantsText(grants)}`)
    ),
    section(
      'Removed',
      'red',
      diff.removed.map(({ prefix, grants }) => `${address(prefix)}: was ${grantsText(grants)}`)
    ),
    section(
      'Moved',
      'yellow',
      diff.moved.map(({ prefix, lost, gained }) => {
        if (lost.length === 0) return `${address(prefix)}: now also ${grantsText(gained)}`
        if (gained.length === 0) return `${address(prefix)}: no longer ${grantsText(lost)}`
        return `${address(prefix)}: ${grantsText(lost)} → ${grantsText(gained)}`
      })
    ),
    section(
      'Cells',
      'bold',
      diff.cells.map(
        ({ dataCenter, channel, from, to }) => `${dataCenter} ${channel}: ${cellText(from)} → ${cellText(to)}`
      )
    ),
    section(
      'Rows that this version does not know',
      'bold',
      diff.unknown.map(
        ({ dataCenter, name, from, to }) => `${code(dataCenter)} ${code(name)}: ${cellText(from)} → ${cellText(to)}`
      )
    )
  ].join('')
}

function versionText({ revision, retrieved, checked }: DirectoryDiff['before'], code: Markup['code']): string {
  const last = checked === undefined ? '' : `, checked ${checked}`
  return `revision ${code(printable(revision).slice(0, 12))} (${retrieved}${last})`
}
