import { Command, InvalidArgumentError, Option } from 'commander'
import { type DataCenter, readDataCenter } from '../directory/names.js'
import { checkEgress } from '../egress/check.js'
import { formatEgress } from '../egress/format.js'
import {
  EGRESS_CATEGORIES,
  EGRESS_FORMATS,
  type EgressCategory,
  type EgressFormat,
  type EgressFormatOptions
} from '../egress/format-options.js'
import { type EgressTarget, FORMS } from '../egress/forms.js'
import { OptionsError, problemLine } from '../errors.js'
import { partsIn } from '../lib/list-in-text.js'
import { suggestion } from '../lib/text.js'
import { forOption } from './egress-check.js'
import { type Names, namesParser, readArgument } from './input.js'
import { type Io, notify } from './io.js'
import { collected, RepeatableOption } from './repeatable.js'

const HELP = `
What each form gets:
  api-firewall    rules to type, one a value; needs --category
  data-api        a support ticket; needs --workspace and --data-center
  dashboard       one address or prefix a line, to paste
  open-analytics  a support ticket; needs --workspace, --data-center, --email
The options of a ticket are for text and JSON only.

What a person must know besides goes to standard error. Ranges that a form does
not take are split; nothing is left out.

Exit codes: 0 written, 2 an error; then nothing is written.

Examples:
  $ moengage-allowlist egress export egress.txt --for dashboard
  $ moengage-allowlist egress export egress.txt --for api-firewall \\
      --category data,campaigns
  $ moengage-allowlist egress export egress.txt --for data-api \\
      --workspace ABC123 --data-center DC-01`

interface Options {
  readonly for: EgressTarget
  readonly format?: EgressFormat
  readonly json?: true
  readonly category?: Names<EgressCategory>
  readonly workspace?: string
  readonly dataCenter?: DataCenter
  readonly email?: readonly string[]
}

/** `egress export`: what a form of MoEngage gets. */
export function egressExportCommand(io: Io): Command {
  return new Command('export')
    .description('write what a person pastes into a form of MoEngage or a ticket')
    .argument('<file>', 'a list: a file, an https URL, or "-" for standard input')
    .addOption(forOption().makeOptionMandatory())
    .addOption(new Option('--format <format>', 'how it is written (default: "text")').choices(EGRESS_FORMATS))
    .addOption(
      new RepeatableOption(
        '--category <name>',
        'what the rules cover, like data (repeat it, or a,b), or all'
      ).argParser(namesParser(readCategory))
    )
    .option('--workspace <id>', 'the workspace id (App ID) for a ticket')
    .option('-d, --data-center <name>', 'the data center for a ticket, like DC-01', readOneDataCenter)
    .addOption(
      new RepeatableOption('--email <id>', 'a user for a ticket about Open Analytics (repeat it)').argParser(collected)
    )
    .addOption(new Option('--json', 'the same as --format json').conflicts('format'))
    .addHelpText('after', HELP)
    .action(async (file: string, { for: target, json, ...options }: Options) => {
      const list = await readArgument(file, io)
      const format = json ? 'json' : options.format
      const { category, workspace, dataCenter, email: emails } = options
      const categories = category === 'all' ? EGRESS_CATEGORIES : category
      const text = written(list, { target, format, categories, workspace, dataCenter, emails })
      for (const warning of checkEgress(list, target).warnings) notify(io, 'warning', problemLine(warning))
      const hasNotes = format === 'json' || (target === 'api-firewall' && (format ?? 'text') === 'text')
      if (!hasNotes) for (const note of FORMS[target].notes) io.stderr.write(`note: ${note}\n`)
      io.stdout.write(text)
    })
}

/** How the options of a form are written here. */
const FLAGS: Readonly<Record<string, string>> = {
  categories: '--category',
  workspace: '--workspace',
  dataCenter: '--data-center',
  emails: '--email'
}

function written(list: string, options: EgressFormatOptions): string {
  try {
    return formatEgress(list, options)
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error
    throw new OptionsError(
      error.mistakes.map((mistake) => ({ ...mistake, path: FLAGS[mistake.path!.replace(/\[\d+\]$/, '')]! }))
    )
  }
}

const asId = (category: string) => category.toLowerCase().replace(' ', '-')

function readCategory(text: string): EgressCategory {
  const id = asId(text)
  const category = EGRESS_CATEGORIES.find((one) => asId(one) === id)
  if (category !== undefined) return category
  throw new InvalidArgumentError(`There is no category "${text}". ${suggestion(id, EGRESS_CATEGORIES.map(asId))}`)
}

function readOneDataCenter(text: string): DataCenter {
  if (partsIn(text).length > 1) {
    throw new InvalidArgumentError('A ticket names one data center. Write a ticket for each.')
  }
  const read = readDataCenter(text)
  if ('ok' in read) return read.ok
  throw new InvalidArgumentError(`${read.problem.message} ${read.problem.fix}`)
}
