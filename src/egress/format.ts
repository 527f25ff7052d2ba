import { EgressError } from '../errors.js'
import { formatJson } from '../lib/json.js'
import { isUnwantedPromise } from '../lib/promise.js'
import { type Block, blockText, sizeOf } from './block.js'
import { readFor } from './check.js'
import { csvField } from './csv.js'
import type { ReadEntry } from './entries.js'
import { type EgressFormatOptions, type FormatOptions, readFormatOptions } from './format-options.js'
import { FORMS, splitFor } from './forms.js'
import type { EgressList } from './read-list.js'

/** A value that is entered, once. */
interface Entered {
  readonly block: Block
  readonly value: string
  readonly name: string
}

/**
 * Writes a list of your addresses as a form of MoEngage takes it: rules for the API Firewall, lines for the Dashboard Firewall, a
 * ticket for the other two.
 *
 * Each value stands there once, in the order of the list. A range that the form does not take is split; the addresses stay the
 * same. Nothing is left out.
 *
 * @returns the text of a file
 * @throws EgressError (`MOE_ERR_EGRESS`) when the list has a mistake, or the format cannot express it; OptionsError
 * (`MOE_ERR_OPTIONS`) when an option is wrong, missing or of no use to the form
 * @example
 * formatEgress('203.0.113.8 - 203.0.113.10 # NAT', { target: 'dashboard' })
 * // 203.0.113.8/31
 * // 203.0.113.10
 */
export function formatEgress(list: EgressList, options: EgressFormatOptions): string {
  // Whichever of the two is refused first.
  isUnwantedPromise(list)
  const read = readFormatOptions(options)
  const { entries, errors } = readFor(list, read.target)
  if (errors.length > 0) throw new EgressError(errors, list)
  const entered = enter(entries, read)
  switch (read.format) {
    case 'csv':
      return asCsv(entered, read)
    case 'json':
      return `${formatJson(asJson(entered, read), 2)}\n`
    case 'terraform':
      return asTerraform(entered, read)
    case 'text':
      return asText(entered, read)
  }
}

function enter(entries: readonly ReadEntry[], { target }: FormatOptions): Entered[] {
  const found = new Map<string, { block: Block; names: string[] }>()
  for (const entry of entries) {
    const parts = splitFor(FORMS[target].takes, entry.block)
    for (const [i, block] of parts.entries()) {
      const value = blockText(block)
      const one = found.get(value) ?? { block, names: [] }
      found.set(value, one)
      const part = parts.length === 1 ? '' : ` (${i + 1} of ${parts.length})`
      if (entry.name !== undefined) one.names.push(`${entry.name}${part}`)
    }
  }
  return [...found].map(([value, { block, names }]) => {
    return { block, value, name: names.length === 0 ? value : [...new Set(names)].join(' / ') }
  })
}

/** As the drop-down menu of the form names them. */
function conditionOf({ block, value }: Entered): string {
  if (sizeOf(block) === 1n) return `Single IPv${block.family}`
  return value.includes('-') ? 'IPv4 Range' : `CIDR Range IPv${block.family}`
}

/** What is entered, by the names of the fields. */
function fields(entered: Entered, { target, categories }: FormatOptions): Record<string, string> {
  const { name, value } = entered
  if (target !== 'api-firewall') return { value, name }
  return { name, categories: categories.join(', '), condition: conditionOf(entered), value }
}

function asCsv(entered: readonly Entered[], options: FormatOptions): string {
  for (const { name, value } of entered) {
    if (!/^[=+@\t-]/.test(name)) continue
    const message = `The name "${name}" of ${value} would be run as a formula by a spreadsheet.`
    const fix = 'Begin the name with a letter or digit, or write another format than CSV.'
    throw new EgressError([{ code: 'MOE_ERR_EGRESS', path: '', value: name, message, fix }], name)
  }
  const rows = entered.map((one) => fields(one, options))
  const lines = [Object.keys(rows[0]!), ...rows.map((row) => Object.values(row))]
  return lines.map((line) => `${line.map(csvField).join(',')}\n`).join('')
}

function asJson(entered: readonly Entered[], options: FormatOptions) {
  const { target, categories } = options
  const { title, page, notes } = FORMS[target]
  const form = { target, title, page }
  const entries = entered.map(({ value, name }) => ({ value, name }))
  if (target === 'api-firewall') {
    const rules = entered.map((one) => ({ name: one.name, categories, condition: conditionOf(one), value: one.value }))
    return { ...form, rules, notes }
  }
  if (target === 'dashboard') return { ...form, type: 'Allowed', entries, notes }
  return { ...form, subject: subjectOf(options), body: ticketOf(entered, options), entries, notes }
}

function asTerraform(entered: readonly Entered[], options: FormatOptions): string {
  const objects = entered.map((one) => {
    const pairs = Object.entries(fields(one, options)).map(([key, text]) => `${key} = ${hclString(text)}`)
    return `    { ${pairs.join(', ')} },\n`
  })
  const { target } = options
  const head = `# ${FORMS[target].title}: written by moengage-allowlist egress export.\n`
  return `${head}locals {\n  moengage_${target.replace('-', '_')} = [\n${objects.join('')}  ]\n}\n`
}

/** JSON's escapes are HCL's too; templates begin with `${` or `%{`. */
const hclString = (text: string) => JSON.stringify(text).replaceAll(/[$%](?=\{)/g, (sign) => sign + sign)

function asText(entered: readonly Entered[], options: FormatOptions): string {
  const { target } = options
  if (target === 'dashboard') return entered.map(({ value }) => `${value}\n`).join('')
  if (target === 'api-firewall') return rulesText(entered, options)
  return `Subject: ${subjectOf(options)}\n\n${ticketOf(entered, options)}`
}

const LABELS = { name: 'Rule name', categories: 'Whitelist Categories', condition: 'Condition', value: 'Value' }

function rulesText(entered: readonly Entered[], options: FormatOptions): string {
  const { title, notes } = FORMS['api-firewall']
  const rules = entered.map((one, i) => {
    const lines = Object.entries(fields(one, options)).map(
      ([key, text]) => `  ${`${LABELS[key as keyof typeof LABELS]}:`.padEnd(21)} ${text}\n`
    )
    return `Rule ${i + 1} of ${entered.length}\n${lines.join('')}\n`
  })
  const where = `${title}: Settings, Account, Security, API firewall. Add these rules in this order.\n\n`
  return `${where}${rules.join('')}${notes.map((note) => `- ${note}\n`).join('')}`
}

function subjectOf({ target }: FormatOptions): string {
  return target === 'open-analytics' ? 'Whitelist IPs for Open Analytics Access' : 'Whitelist IPs for Data APIs'
}

function ticketOf(entered: readonly Entered[], { target, workspace, dataCenter, emails }: FormatOptions): string {
  const width = Math.max(...entered.map(({ value }) => value.length))
  const addresses = entered.map(({ value, name }) =>
    `${value.padEnd(width)}${name === value ? '' : `  ${name}`}`.trimEnd()
  )
  const what = target === 'open-analytics' ? 'Open Analytics' : 'the Data APIs of this workspace'
  return [
    `Workspace ID (App ID): ${workspace}`,
    `Data center: ${dataCenter}`,
    '',
    `Please let these addresses access ${what}:`,
    '',
    ...addresses,
    ...(emails.length === 0 ? [] : ['', 'For these users (e-mail ids):', '', ...emails]),
    ''
  ].join('\n')
}
