import { type DataCenter, type DataCenterName, readDataCenter } from '../directory/names.js'
import type { Option, OptionRule, OptionTable } from '../lib/option.js'
import { OptionReader } from '../lib/option-reader.js'
import { shown, suggestion } from '../lib/text.js'
import { EGRESS_TARGETS, type EgressTarget } from './forms.js'

/** A category of APIs that a rule of the API Firewall covers, as the form names it. */
export type EgressCategory = 'Data' | 'Segmentation' | 'Campaigns' | 'Partner Integration' | 'Content'

/** Every {@link EgressCategory}, in the order of the form. */
export const EGRESS_CATEGORIES: readonly EgressCategory[] = Object.freeze([
  'Data',
  'Segmentation',
  'Campaigns',
  'Partner Integration',
  'Content'
])

/**
 * How a list is written for a form: `text` for a person to paste, `json` and `csv` for programs, `terraform` as a `locals` block.
 */
export type EgressFormat = 'text' | 'json' | 'csv' | 'terraform'

/** Every {@link EgressFormat}. */
export const EGRESS_FORMATS: readonly EgressFormat[] = Object.freeze(['text', 'json', 'csv', 'terraform'])

/** What a form gets beside the addresses. */
export interface EgressFormatOptions {
  /** The form. */
  readonly target: EgressTarget
  /** How it is written (`'text'`). */
  readonly format?: EgressFormat | undefined
  /** What the rules of the API Firewall cover; required for `api-firewall`, unknown to the others. */
  readonly categories?: readonly EgressCategory[] | undefined
  /** The workspace id (App ID) that a ticket names; required for `data-api` and `open-analytics` as text or JSON. */
  readonly workspace?: string | undefined
  /** The data center that a ticket names; required where `workspace` is. */
  readonly dataCenter?: DataCenterName | undefined
  /** The users that a ticket for `open-analytics` names. */
  readonly emails?: readonly string[] | undefined
}

/** Options that were read. What the form does not use is empty. */
export interface FormatOptions {
  readonly target: EgressTarget
  readonly format: EgressFormat
  readonly categories: readonly EgressCategory[]
  readonly workspace: string
  readonly dataCenter: DataCenter | undefined
  readonly emails: readonly string[]
}

const NEEDED = {
  categories: `Name at least one of: ${EGRESS_CATEGORIES.join(', ')}. Each is closed to all other addresses once a rule for it is published.`,
  workspace: 'Copy the Workspace ID (App ID) from the settings of your workspace.',
  dataCenter: `Write it like 'DC-01'; it is in the host name of your dashboard.`,
  emails: 'Name the users by their e-mail ids.'
}

/** The options, by name. */
const OPTIONS = {
  target: choice<EgressTarget, undefined>(EGRESS_TARGETS, undefined),
  format: choice<EgressFormat, EgressFormat>(EGRESS_FORMATS, 'text'),
  categories: {
    fallback: [],
    example: `['Data']`,
    read: (option) => readList(option, NEEDED.categories, (one) => readChoice(one, EGRESS_CATEGORIES))
  },
  workspace: { fallback: '', example: `'YOUR_WORKSPACE_ID'`, read: readWorkspace },
  dataCenter: { fallback: undefined, example: `'DC-01'`, read: readName },
  emails: {
    fallback: [],
    example: `['ada@example.com']`,
    read: (option) => readList(option, NEEDED.emails, readEmail)
  }
} satisfies OptionTable

/**
 * Reads the options; what a form needs must be there, and what it has no use for must not.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`) with every mistake
 */
export function readFormatOptions(options: EgressFormatOptions): FormatOptions {
  const reader = OptionReader.open(OPTIONS, options, `Write { target: 'data-api' }.`)
  reader.checkNames()
  const target =
    options.target === undefined
      ? readChoice(reader.optionAt('target', undefined), EGRESS_TARGETS)
      : reader.read('target')
  const format = reader.read('format')
  reader.throwMistakes()
  const used = usedOptions(target!, format)
  for (const name of Object.keys(NEEDED) as (keyof typeof NEEDED)[]) {
    const value = options[name]
    const option = reader.optionAt(name, value)
    if (value === undefined && used.includes(name)) option.refuse(`${target} needs it as ${format}.`, NEEDED[name])
    else if (value !== undefined && !used.includes(name)) {
      option.refuse(`${target} has no use for it as ${format}.`, 'Leave it out.')
    }
  }
  reader.throwMistakes()
  const categories = reader.read('categories')
  const emails = reader.read('emails')
  const workspace = reader.read('workspace')
  const dataCenter = reader.read('dataCenter')
  reader.throwMistakes()
  return {
    target: target!,
    format,
    // In the order of the form, each once.
    categories: EGRESS_CATEGORIES.filter((category) => categories.includes(category)),
    workspace,
    dataCenter,
    emails: [...new Set(emails)]
  }
}

function usedOptions(target: EgressTarget, format: EgressFormat): readonly string[] {
  if (target === 'api-firewall') return ['categories']
  if (target === 'dashboard' || format === 'csv' || format === 'terraform') return []
  return target === 'data-api' ? ['workspace', 'dataCenter'] : ['workspace', 'dataCenter', 'emails']
}

function choice<Word extends string, Fallback extends Word | undefined>(
  words: readonly Word[],
  fallback: Fallback
): OptionRule<Word | Fallback> {
  return { fallback, example: `'${words[0]}'`, read: (option) => readChoice(option, words) }
}

function readChoice<Word extends string>(option: Option, words: readonly Word[]): Word | undefined {
  const { value } = option
  if (words.includes(value as Word)) return value as Word
  return option.refuse(`${shown(value)} is none of the choices.`, suggestion(value, words))
}

function readList<T>(option: Option, fix: string, read: (one: Option) => T | undefined): T[] | undefined {
  const { value } = option
  if (!Array.isArray(value) || value.length === 0) {
    return option.refuse(`${shown(value)} is not a list with at least one.`, fix)
  }
  return option.items(value).flatMap((one) => read(one) ?? [])
}

function readEmail(option: Option): string | undefined {
  const { value } = option
  if (typeof value === 'string' && /^[\x21-\x3f\x41-\x7e]{1,100}@[\x21-\x3f\x41-\x7e]{1,100}$/.test(value)) return value
  return option.refuse(`${shown(value)} is not an e-mail id.`, 'Write it like ada@example.com.')
}

function readWorkspace(option: Option): string | undefined {
  const { value } = option
  if (typeof value === 'string' && /^[\x21-\x7e]{1,100}$/.test(value)) return value
  return option.refuse(`${shown(value)} is not a workspace id.`, NEEDED.workspace)
}

function readName(option: Option): DataCenter | undefined {
  const outcome = readDataCenter(option.value)
  if ('ok' in outcome) return outcome.ok
  return option.refuse(outcome.problem.message, outcome.problem.fix, outcome.problem.code)
}
