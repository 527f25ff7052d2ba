import { countChangedCells } from '../directory/diff.js'
import { ALL_CELLS, type Cells, type Directory } from '../directory/directory.js'
import type { OpenSource } from '../directory/source/source.js'
import type { Problem, Suspicion, SuspiciousReason } from '../errors.js'
import type { Prefix } from '../ip/prefix.js'
import { specialPurpose } from '../ip/special.js'
import { atOnce, filtered, type Steps } from '../lib/steps.js'
import { lostPrefixes } from './removals.js'
import { FUTURE, isToCome } from './status.js'

/** The shortest prefixes that are believed: a /16 is a whole provider, and MoEngage publishes single addresses. */
const SHORTEST = { 4: 16, 6: 32 }
/** How many addresses a list may cover without a question, and how often as many as the list in use: a /12, a /28 of IPv6. */
const MOST = { 4: 2 ** 20, 6: 2 ** 100 }
const MOST_GROWTH = 10
/** Maximum number of prefixes that a reason names. */
const NAMED = 5

/**
 * What is suspicious about a list.
 *
 * @param current the list in use, if there is one: only then can the next one be smaller, older or too new
 * @param inUse what routes accept
 */
export function* suspicionsOf(
  directory: Directory,
  current: Directory | undefined,
  inUse: readonly Cells[],
  now: number
): Steps<SuspiciousReason[]> {
  const prefixes = directory.prefixesOf(ALL_CELLS)
  const reasons = [...wideAmong(prefixes), ...(yield* specialAmong(prefixes))]
  const add = (suspicion: Suspicion, message: string) => {
    if (!reasons.some((reason) => reason.message === message)) reasons.push({ suspicion, message })
  }
  if (current === undefined) return reasons
  yield
  const earlier = current.prefixesOf(ALL_CELLS)
  yield
  for (const family of [4, 6] as const) {
    const after = addressCount(prefixes, family)
    const before = addressCount(earlier, family)
    yield
    if (after <= MOST[family] || after <= before * MOST_GROWTH) continue
    const more = before === 0 ? 'none' : `only ${about(before)}`
    add('grown', `It covers ${about(after)} addresses of IPv${family}, the list in use ${more}.`)
  }
  const { retrieved } = directory.provenance
  const inForce = current.provenance.retrieved
  // A day that is still to come is wrong, and must not keep the list out in which it is corrected.
  const isCorrected = isToCome(inForce, now) && !isToCome(retrieved, now)
  if (retrieved < inForce && !isCorrected) {
    add('older', `It is of ${retrieved}, older than the list in use, of ${inForce}.`)
  }
  if (retrieved > inForce && isToCome(retrieved, now)) add('future', `It ${FUTURE.retrieved(retrieved)}`)
  else if (directory.checked > current.checked && isToCome(directory.checked, now)) {
    add('future', `It ${FUTURE.checked(directory.checked)}`)
  }
  for (const { dataCenters, channels } of inUse) {
    for (const dataCenter of dataCenters) {
      const cells = { dataCenters: [dataCenter], channels }
      const before = current.prefixesOf(cells)
      yield
      const gone = yield* lostPrefixes(before, directory, cells)
      if (gone.length * 2 <= before.length) continue
      add(
        'shrunk',
        `${gone.length} of the ${before.length} addresses of ${dataCenter} in use are gone: ${named(gone)}.`
      )
    }
  }
  return reasons
}

/**
 * What a guard would refuse a list for that is its first one, as warnings.
 *
 * @param path the name of the list
 */
export function suspicionWarnings(directory: Directory, path: string): Problem[] {
  return atOnce(suspicionsOf(directory, undefined, [], 0)).map(({ suspicion, message }) => ({
    code: 'MOE_WARN_SUSPICIOUS',
    path,
    value: suspicion,
    message: `The list is suspicious: ${message}`,
    fix: `Look at it. A guard refuses it until the option confirm names '${suspicion}'.`
  }))
}

/** The reasons that speak against a list of a source, where some are confirmed. A source that orders its lists has no older one. */
export const unconfirmed = (
  reasons: readonly SuspiciousReason[],
  confirmed: ReadonlySet<Suspicion>,
  { isOrdered }: Pick<OpenSource, 'isOrdered'>
): SuspiciousReason[] =>
  reasons.filter(({ suspicion }) => !confirmed.has(suspicion) && !(suspicion === 'older' && isOrdered))

/** How many addresses a list covers; those of a prefix inside of another count twice. */
function addressCount(prefixes: readonly Prefix[], family: 4 | 6): number {
  let count = 0
  for (const prefix of prefixes) {
    if (prefix.address.family !== family) continue
    count += prefix.isSingle ? 1 : 2 ** ((family === 4 ? 32 : 128) - prefix.length)
  }
  return count
}

/** A number that nobody counts digit by digit. */
const about = (count: number) => (count < 1e6 ? `${count}` : count.toExponential(1).replace('e+', ' × 10^'))

/**
 * Whether more cells changed than may change without a confirmation.
 *
 * @param most undefined if any number may
 */
export function* rewritten(
  directory: Directory,
  current: Directory,
  most: number | undefined
): Steps<SuspiciousReason[]> {
  const count = most === undefined ? 0 : yield* countChangedCells(current, directory)
  if (count <= (most ?? 0)) return []
  return [{ suspicion: 'changed', message: `${count} cells of the page changed at once, more than ${most}.` }]
}

/** What is suspicious about an override: what it accepts, and what it takes from the list in use. */
export function suspicionsOfOverride(
  { allow, deny }: { readonly allow: readonly Prefix[]; readonly deny: readonly Prefix[] },
  directory: Directory,
  inUse: readonly Cells[]
): SuspiciousReason[] {
  const reasons = [...wideAmong([...allow, ...deny]), ...atOnce(specialAmong(allow))]
  const dataCenters = deny.length === 0 ? [] : new Set(inUse.flatMap((cells) => cells.dataCenters))
  for (const dataCenter of dataCenters) {
    const listed = distinct(
      inUse
        .filter((cells) => cells.dataCenters.includes(dataCenter))
        .flatMap(({ channels }) => directory.prefixesOf({ dataCenters: [dataCenter], channels }))
    )
    const denied = listed.filter((prefix) => deny.some((wider) => wider.contains(prefix)))
    if (denied.length * 2 <= listed.length) continue
    const message = `It denies ${denied.length} of the ${listed.length} addresses of ${dataCenter} in use: ${named(denied)}.`
    reasons.push({ suspicion: 'shrunk', message })
  }
  return reasons
}

function wideAmong(prefixes: readonly Prefix[]): SuspiciousReason[] {
  const wide = prefixes.filter(({ address, length }) => length < SHORTEST[address.family])
  if (wide.length === 0) return []
  return [{ suspicion: 'wide', message: `${named(wide)}: shorter than /16 (IPv4) or /32 (IPv6).` }]
}

function* specialAmong(prefixes: readonly Prefix[]): Steps<SuspiciousReason[]> {
  const special = yield* filtered(prefixes, (prefix) => specialPurpose(prefix) !== undefined)
  if (special.length === 0) return []
  const names = named(special, (prefix) => ` (${specialPurpose(prefix)!.name})`)
  return [{ suspicion: 'private', message: `${names}: nobody on the internet sends from there.` }]
}

/** The same prefix stands in many cells. */
const distinct = (prefixes: readonly Prefix[]): Prefix[] => [...new Set(prefixes)]

function named(prefixes: readonly Prefix[], about: (prefix: Prefix) => string = () => ''): string {
  const list = prefixes.slice(0, NAMED).map((prefix) => `${prefix}${about(prefix)}`)
  return prefixes.length > NAMED ? `${list.join(', ')} and ${prefixes.length - NAMED} more` : list.join(', ')
}
