import { Command, Option } from 'commander'
import { checkEgress, type EgressCheck } from '../egress/check.js'
import type { EgressProblem } from '../egress/entries.js'
import { EGRESS_TARGETS, type EgressTarget, FORMS } from '../egress/forms.js'
import { problemLine } from '../errors.js'
import { visible } from '../lib/text.js'
import { jsonOption, nameOf, readArgument } from './input.js'
import { Exit, type Io, writeJson } from './io.js'
import { type Style, styleFor } from './text.js'

const HELP = `
FILE has one address, prefix or IPv4 range (a - b) a line, with a name behind a
"#"; or it is CSV with the header "value,name,comment", or a JSON array of texts
or { "value", "name", "comment" }. "-" is standard input.

Exit codes: 0 no errors (there may be warnings), 1 errors in the list, 2 it
cannot be read.

Examples:
  $ moengage-allowlist egress check egress.txt
  $ moengage-allowlist egress check egress.csv --for api-firewall --json`

/** Which form a list is for. */
export const forOption = () => new Option('--for <form>', 'the form that gets the list').choices(EGRESS_TARGETS)

/** `egress check`: what is wrong with a list of your own addresses. */
export function egressCheckCommand(io: Io): Command {
  return new Command('check')
    .description('check a list of your addresses: errors, warnings, and what a form takes')
    .argument('<file>', 'a list: a file, an https URL, or "-" for standard input')
    .addOption(forOption())
    .addOption(jsonOption())
    .addHelpText('after', HELP)
    .action(async (file: string, options: { for?: EgressTarget; json?: true }) => {
      const check = checkEgress(await readArgument(file, io), options.for)
      if (options.json) writeJson(io.stdout, check)
      else io.stdout.write(checkText(nameOf(file), check, styleFor(io)))
      if (!check.ok) throw new Exit(1)
    })
}

/** Lines of a problem each; a file that is no list has one in every line. */
const MOST_SHOWN = 50

function checkText(name: string, { target, entries, errors, warnings, shortest }: EgressCheck, style: Style): string {
  const form = target === null ? '' : ` for ${FORMS[target].title}`
  const counts = [count(entries.length, 'sound entry', 'sound entries'), count(errors.length, 'error', 'errors')]
  const lines = [
    `${name}${form}: ${[...counts, count(warnings.length, 'warning', 'warnings')].join(', ')}.`,
    ...problemLines(style('red', 'error'), errors),
    ...problemLines(style('yellow', 'warning'), warnings)
  ]
  if (warnings.length > 0 && shortest.length < entries.length) {
    lines.push('', 'The shortest list with the same addresses:', ...shortest)
  }
  return `${lines.join('\n')}\n`
}

const count = (number: number, one: string, many: string) => `${number} ${number === 1 ? one : many}`

function problemLines(kind: string, problems: readonly EgressProblem[]): string[] {
  const lines = problems.slice(0, MOST_SHOWN).map((problem) => `${kind}: ${visible(problemLine(problem))}`)
  if (problems.length > MOST_SHOWN) lines.push(`${kind}: and ${problems.length - MOST_SHOWN} more (--json has all)`)
  return lines
}
