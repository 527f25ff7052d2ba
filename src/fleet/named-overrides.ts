import { FleetError } from '../errors.js'
import { Prefix, readPrefix } from '../ip/prefix.js'
import { partsIn } from '../lib/list-in-text.js'
import { shown } from '../lib/text.js'
import { listed, type StoredOverride } from './stored-override.js'

/**
 * The overrides that a text names: one by its id, or those that hold the addresses and prefixes of the text (`a,b`), or the mode, and
 * nothing else. An override ends as a whole, so nothing ends that the text does not name.
 *
 * @throws FleetError (`MOE_ERR_FLEET`) where something is held by no override or by several, or together with something else
 */
export function namedBy(text: string, overrides: readonly StoredOverride[]): readonly StoredOverride[] {
  const byId = overrides.filter(({ id }) => id === text)
  if (byId.length > 0) return byId
  const parts = partsIn(text)
  const holders = parts.map((part) => {
    const holding = overrides.filter((override) => partsOf(override).includes(canonical(part)))
    if (holding.length === 0) {
      throw new FleetError({
        value: text,
        message: `No override of the fleet has the id or the prefix ${shown(part)}.`,
        fix: 'Look at moengage-allowlist fleet status.'
      })
    }
    return holding
  })
  const named = [...new Set(holders.flat())]
  const asked = new Set(parts.map(canonical))
  const isClear =
    holders.every(({ length }) => length === 1) &&
    named.every((override) => partsOf(override).every((part) => asked.has(part)))
  if (isClear) return named
  const isOne = named.length === 1
  throw new FleetError({
    value: text,
    message: `${shown(text)} is ${isOne ? 'only a part of an override' : `in ${named.length} overrides`}:\n${listed(named)}\n`,
    fix:
      `End ${isOne ? 'it' : 'one'} as a whole, by its id: moengage-allowlist override remove ${isOne ? named[0]!.id : 'ID'}. ` +
      'To keep a part, first set that part as an override of its own.'
  })
}

/** What an override holds, as {@link canonical}. */
const partsOf = ({ allow = [], deny = [], mode }: StoredOverride): readonly string[] => [
  ...[...allow, ...deny].map(canonical),
  ...(mode === undefined ? [] : ['mode'])
]

/** The canonical text of a prefix; any other text as it is. */
function canonical(text: string): string {
  const prefix = readPrefix(text)
  return prefix instanceof Prefix ? `${prefix}` : text
}
