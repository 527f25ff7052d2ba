import { type DataCenter, type DataCenterName, readDataCenter } from '../directory/names.js'
import { OptionsError } from '../errors.js'
import { checkNames, mistake, type Report, shown } from '../lib/option-reader.js'
import { suggestion } from '../lib/suggest.js'
import type { Problem } from '../problem.js'
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

const NAMES = ['target', 'format', 'categories', 'workspace', 'dataCenter', 'emails'] as const

/**
 * Reads the options; what a form needs must be there, and what it has no use for must not.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`) with every mistake
 */
export function readFormatOptions(options: EgressFormatOptions): FormatOptions {
  const mistakes: Problem[] = []
  const report: Report = (problem) => void mistakes.push(problem)
  checkNames(options, NAMES, '', report)
  const { target, format = 'text', categories, workspace, dataCenter, emails } = options
  checkChoice('target', target, EGRESS_TARGETS, report)
  checkChoice('format', format, EGRESS_FORMATS, report)
  if (mistakes.length > 0) throw new OptionsError(mistakes, options)
  const used = usedOptions(target, format)
  for (const name of NAMES.slice(2)) {
    const value = options[name]
    if (value === undefined && used.includes(name)) {
      report(mistake(name, value, `${target} needs it as ${format}.`, NEEDED[name as keyof typeof NEEDED]))
    } else if (value !== undefined && !used.includes(name)) {
      report(mistake(name, value, `${target} has no use for it as ${format}.`, 'Leave it out.'))
    }
  }
  if (mistakes.length > 0) throw new OptionsError(mistakes, options)
  if (categories !== undefined)
    checkList('categories', categories, (one) => checkChoice('categories', one, EGRESS_CATEGORIES, report), report)
  if (emails !== undefined) checkList('emails', emails, (one) => checkEmail(one, report), report)
  if (workspace !== undefined && (typeof workspace !== 'string' || !/^[\x21-\x7e]{1,100}$/.test(workspace))) {
    report(mistake('workspace', workspace, `${shown(workspace)} is not a workspace id.`, NEEDED.workspace))
  }
  const named = dataCenter === undefined ? undefined : readDataCenter(dataCenter, 'dataCenter')
  if (named !== undefined && 'problem' in named) report(named.problem)
  if (mistakes.length > 0) throw new OptionsError(mistakes, options)
  return {
    target,
    format,
    // In the order of the form, each once.
    categories: EGRESS_CATEGORIES.filter((category) => categories?.includes(category)),
    workspace: workspace ?? '',
    dataCenter: named && (named as { ok: DataCenter }).ok,
    emails: [...new Set(emails)]
  }
}

const NEEDED = {
  categories: `Name at least one of: ${EGRESS_CATEGORIES.join(', ')}. Each is closed to all other addresses once a rule for it is published.`,
  workspace: 'Copy the Workspace ID (App ID) from the settings of your workspace.',
  dataCenter: `Write it like 'DC-01'; it is in the host name of your dashboard.`,
  emails: 'Name the users by their e-mail ids.'
}

function usedOptions(target: EgressTarget, format: EgressFormat): readonly string[] {
  if (target === 'api-firewall') return ['categories']
  if (target === 'dashboard' || format === 'csv' || format === 'terraform') return []
  return target === 'data-api' ? ['workspace', 'dataCenter'] : ['workspace', 'dataCenter', 'emails']
}

function checkChoice(path: string, value: unknown, choices: readonly string[], report: Report): void {
  if (choices.includes(value as string)) return
  report(mistake(path, value, `${shown(value)} is none of the choices.`, suggestion(String(value), choices)))
}

function checkList(path: keyof typeof NEEDED, value: unknown, check: (one: unknown) => void, report: Report): void {
  if (Array.isArray(value) && value.length > 0) value.forEach(check)
  else report(mistake(path, value, `${shown(value)} is not a list with at least one.`, NEEDED[path]))
}

function checkEmail(value: unknown, report: Report): void {
  if (typeof value === 'string' && /^[\x21-\x3f\x41-\x7e]{1,100}@[\x21-\x3f\x41-\x7e]{1,100}$/.test(value)) return
  report(mistake('emails', value, `${shown(value)} is not an e-mail id.`, 'Write it like ada@example.com.'))
}
