import { html } from 'ghtml'
import { aboutAddress, addressOrMistake, grantsText, neighbourText } from '../directory/about-address.js'
import { Address } from '../ip/address.js'
import { purposeText } from '../ip/special.js'
import { listOf } from './document.js'
import type { ShownGuard } from './facts.js'
import { policyName } from './matrix.js'

/** The longest text that is looked at: an IPv6 address has at most 45 characters. */
const MAX_LENGTH = 100

/** A form that asks for an address, and below it what the command line says about the address in the query. */
export function explainPart(guard: ShownGuard, asked: string | null): string {
  const ip = asked?.trim().slice(0, MAX_LENGTH) ?? ''
  return html`<p>Paste an address from a log or a firewall: the page says whether the guard accepts it, and why.</p>
<form class="ask" action="#explain" method="get">
<p><label for="ip">IP address</label><input type="text" id="ip" name="ip" value="${ip}" autocomplete="off" spellcheck="false" placeholder="52.6.248.125"></p>
<button>Explain</button>
</form>
<div id="explanation" role="status">!${ip === '' ? '' : explanation(guard, ip)}</div>`
}

function explanation(guard: ShownGuard, ip: string): string {
  const directory = guard.directory()
  const address = addressOrMistake(ip, directory)
  if (!(address instanceof Address)) return html`<p class="no">${address.message} ${address.fix}</p>`
  const { entries, notes, nearest } = aboutAddress(address, directory)
  const answers = guard.explainAll(`${address}`)
  const verdicts = [...new Set(answers.map(({ text }) => text))].map((text) => {
    const policies = answers.filter((answer) => answer.text === text)
    const { verdict } = policies[0]!
    const mark = verdict.verified ? '✓ accepted' : '✗ rejected'
    const where = `On routes that accept ${policies.map(policyName).join('; or ')}`
    return html`<li><strong class="!${verdict.verified ? 'yes' : 'no'}">${mark}</strong> ${text}<br><span class="quiet small">${where}</span></li>`
  })
  const purpose = purposeText(`${address}`)
  const said = answers.map(({ text }) => text).join(' ')
  const facts = [
    ...(entries.length > 0 ? [`Listed for: ${grantsText(entries.map(({ grant }) => grant))}`] : []),
    ...(purpose === undefined ? [] : [purpose]),
    // The hint about another data center contains the note already.
    ...notes
      .filter(({ text }) => !said.includes(text))
      .map(({ dataCenter, text }) => `Note for ${dataCenter}: ${text}`),
    ...nearest.map((neighbour) => `Near it on the list: ${neighbourText(neighbour)}`),
    ...(nearest.length > 0 ? ['Being near proves nothing: the next address of a cloud is another customer.'] : [])
  ]
  return html`<h3>${address}</h3>
<ul>!${verdicts}</ul>
!${listOf(facts)}
<p class="quiet small">By the list of ${directory.revision}, taken on ${directory.provenance.retrieved}.</p>`
}
