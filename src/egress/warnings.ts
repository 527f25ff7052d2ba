import { directory, type Grant } from '../directory/directory.js'
import { lazily } from '../lib/lazily.js'
import { type Block, blockOf, blockText, compareBlocks, merge, overlap, sizeOf } from './block.js'
import type { EgressProblem, ReadEntry } from './entries.js'
import { type EgressTarget, FORMS, splitFor } from './forms.js'

/** What may be meant as it is, but locks people out or lets others in where it is not; in the order of the list. */
export function warningsOf(entries: readonly ReadEntry[], target: EgressTarget | undefined): EgressProblem[] {
  const found = [
    ...overlaps(entries),
    ...entries.flatMap(aboutEntry),
    ...aboutForm(entries, target),
    ...aboutAll(entries)
  ]
  return found.sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
}

const warning = ({ path, line, value }: ReadEntry, message: string, fix: string): EgressProblem => ({
  code: 'MOE_WARN_EGRESS',
  path,
  line,
  value,
  message,
  fix
})

/** Each entry that shares addresses with one before it, in the order of the addresses. */
function overlaps(entries: readonly ReadEntry[]): EgressProblem[] {
  const found: EgressProblem[] = []
  let reach: ReadEntry | undefined
  for (const entry of entries.toSorted((a, b) => compareBlocks(a.block, b.block))) {
    if (reach !== undefined && overlap(reach.block, entry.block)) {
      const other = `${reach.value} (${reach.path})`
      found.push(
        reach.block.first === entry.block.first && reach.block.last === entry.block.last
          ? warning(entry, `${entry.value} repeats ${other}.`, 'Remove one of the two.')
          : reach.block.last >= entry.block.last
            ? warning(entry, `${entry.value} lies inside of ${other}.`, 'Remove one of the two.')
            : warning(entry, `${entry.value} overlaps with ${other}.`, 'Write one range for both.')
      )
    }
    if (reach === undefined || reach.block.family !== entry.block.family || reach.block.last < entry.block.last)
      reach = entry
  }
  return found
}

const moengageBlocks = lazily((): readonly { readonly block: Block; readonly grant: Grant }[] =>
  directory.entries.map(({ prefix, grant }) => ({ block: blockOf(prefix), grant }))
)

function aboutEntry(entry: ReadEntry): EgressProblem[] {
  const { block, value } = entry
  const found: EgressProblem[] = []
  if (sizeOf(block) > (block.family === 4 ? 256n : 1n << 80n)) {
    const width = block.family === 4 ? '/24' : '/48'
    const fix = 'List the addresses that you really send from.'
    found.push(warning(entry, `${value} is wider than ${width}: others may have addresses in it.`, fix))
  }
  const grants = moengageBlocks()
    .filter((own) => overlap(own.block, block))
    .map(({ grant }) => grant)
  if (grants.length > 0) {
    const dataCenters = [...new Set(grants.map(({ dataCenter }) => dataCenter))].join(', ')
    const what = sizeOf(block) === 1n ? 'is an address' : 'has addresses'
    const message = `${value} ${what} that MoEngage calls you from (${dataCenters}), which is the other direction.`
    const fix = "Take it out of this list, and let it into your own firewall: 'moengage-allowlist export'."
    found.push(warning(entry, message, fix))
  }
  return found
}

function aboutForm(entries: readonly ReadEntry[], target: EgressTarget | undefined): EgressProblem[] {
  const found: EgressProblem[] = []
  const form = target === undefined ? undefined : FORMS[target]
  const [ipv6, ...others] = entries.filter(({ block }) => block.family === 6)
  if (ipv6 !== undefined && form?.statesIPv6 !== true) {
    const and = others.length === 0 ? '' : ` and ${others.length} more`
    const message =
      form === undefined
        ? `${ipv6.value}${and}: of the four forms, only the page of the API Firewall states that it takes IPv6.`
        : `${ipv6.value}${and}: MoEngage's page does not state whether ${form.title} takes IPv6.`
    found.push(warning(ipv6, message, 'Ask MoEngage, and do not rely on it before.'))
  }
  if (form === undefined) return found
  for (const entry of entries) {
    const parts = splitFor(form.takes, entry.block)
    if (parts.length < 2) continue
    const what = form.takes === 'addresses' ? 'single addresses' : 'addresses and prefixes'
    const message = `${form.title} takes ${what}, so ${entry.value} becomes ${parts.length} of them.`
    const fix = `Nothing to do: 'egress export' writes ${parts.slice(0, 4).map(blockText).join(', ')}${parts.length > 4 ? ' and so on' : ''}.`
    found.push(warning(entry, message, fix))
  }
  return found
}

function aboutAll(entries: readonly ReadEntry[]): EgressProblem[] {
  const [one, ...others] = merge(entries.map(({ block }) => block))
  if (one === undefined || others.length > 0 || sizeOf(one) > 1n) return []
  const message = 'The list has only one address: when it changes or fails, nothing of yours gets through.'
  const fix = 'Add the address that you would send from then, if there is one.'
  return [{ code: 'MOE_WARN_EGRESS', path: '', line: undefined, value: 1, message, fix }]
}
