import { html } from 'ghtml'
import type { Directory } from '../directory/directory.js'
import { CHANNELS, DATA_CENTERS } from '../directory/names.js'
import type { Problem } from '../errors.js'
import { EXPORT_FORMATS, type ExportFormat, exportDirectory, FORMATS } from '../export/export-directory.js'
import type { PolicyCounts } from '../guard/counters.js'
import { policyLetter, policyName } from './matrix.js'

/** What the form's query holds. */
export interface RulesQuery {
  readonly format: string | null
  /** The letter of a policy. */
  readonly accepts: string | null
}

/** A form that asks for a format, and below it the addresses of a policy as firewall rules. */
export function rulesPart(directory: Directory, policies: readonly PolicyCounts[], query: RulesQuery): string {
  const format = EXPORT_FORMATS.find((name) => name === query.format)
  const index = Math.max(
    0,
    policies.findIndex((_, i) => policyLetter(i) === query.accepts)
  )
  const formats = EXPORT_FORMATS.map(
    (name) => html`<option value="${name}" !${name === format ? 'selected' : ''}>${name}</option>`
  )
  const choices = policies.map(
    (policy, i) =>
      html`<option value="${policyLetter(i)}" !${i === index ? 'selected' : ''}>${policyLetter(i)}: ${policyName(policy)}</option>`
  )
  return html`<p>A firewall or proxy in front of the server can use the same list. Read the first lines of the file before you use it: most files shut everybody else out.</p>
<form class="ask" action="#rules" method="get">
<p><label for="format">Format</label><select id="format" name="format">!${formats}</select></p>
<p><label for="accepts">For routes that accept</label><select id="accepts" name="accepts">!${choices}</select></p>
<button>Show</button>
</form>
<div role="status">!${format === undefined ? '' : rules(directory, policies[index]!, format)}</div>`
}

function rules(directory: Directory, policy: PolicyCounts, format: ExportFormat): string {
  const about = html`<p>${FORMATS[format].about}.</p>`
  try {
    const text = exportDirectory(directory, { format, ...selectionOf(directory, policy) })
    return html`!${about}<pre id="rules-text" tabindex="0" aria-label="Rules for ${format}">${text}</pre>
<p><button type="button" data-copy="rules-text" hidden>Copy</button> <span id="copied" role="status"></span></p>`
  } catch (error) {
    // Such as a list with IPv6 addresses in a format for IPv4.
    const { message } = error as Problem
    return html`!${about}<p class="no">${message}</p>`
  }
}

/** Names that add no address are left out, because an export refuses them. */
function selectionOf(directory: Directory, { dataCenters, channels }: PolicyCounts) {
  const hasAddress = (dataCenter: (typeof dataCenters)[number], channel: (typeof channels)[number]) =>
    directory.prefixes(dataCenter, channel).length > 0
  const isWhole = dataCenters.length === DATA_CENTERS.length
  return {
    dataCenters: isWhole
      ? ('all' as const)
      : dataCenters.filter((dataCenter) => channels.some((channel) => hasAddress(dataCenter, channel))),
    channels:
      channels.length === CHANNELS.length
        ? ('all' as const)
        : channels.filter((channel) => dataCenters.some((dataCenter) => hasAddress(dataCenter, channel)))
  }
}
