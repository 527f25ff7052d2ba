import type { Problem } from '../errors.js'
import { listIn } from './list-in-text.js'
import {
  hasProperty,
  Option,
  type OptionGroup,
  type OptionRule,
  type OptionTable,
  propertyOf,
  type Scope
} from './option.js'
import { editDistance, literal, nearest, quoted, shown, withoutSecrets } from './text.js'

/** An option that exists, and the group that it stands in; undefined at the top. */
export interface Place {
  readonly name: string
  readonly rule: OptionRule<unknown>
  readonly group: ({ readonly name: string } & OptionGroup) | undefined
}

/** All options of a table and of the groups in it, which are not nested deeper. */
export function placesOf(table: OptionTable): Place[] {
  return Object.entries(table).flatMap(([name, rule]) => [
    { name, rule, group: undefined },
    ...Object.entries(rule.group?.table ?? {}).map(([inner, innerRule]) => ({
      name: inner,
      rule: innerRule,
      group: { name, ...rule.group! }
    }))
  ])
}

/** What is wrong with a name that the options of a group do not have, and what to write instead. */
export function unknownOption(name: string, value: unknown, table: OptionTable, scope: Scope): Problem {
  const shownName = withoutSecrets(name)
  const path = scope.path === '' ? shownName : `${scope.path}.${shownName}`
  const problem = { code: 'MOE_ERR_UNKNOWN_OPTION', path, value: shownName } as const
  const message = `There is no option ${quoted(name)} here.`
  if (Object.hasOwn(scope.foreign, name)) return { ...problem, message, fix: scope.foreign[name]! }

  const here = Object.entries(table).map(([name, rule]): Place => ({ name, rule, group: undefined }))
  const elsewhere = placesOf(scope.top.table).filter((place) => isElsewhere(place, scope))
  const alias = here.find((place) => isCalled(place, name))
  if (alias !== undefined) return { ...problem, message, fix: `Write ${alias.name}: ${valueFor(alias, value, scope)}.` }
  const near = nearest(name, Object.keys(table))
  const misplaced = elsewhere.find((place) => isCalled(place, name))
  // One letter is more likely wrong than the place.
  if (near !== undefined && (misplaced === undefined || editDistance(name, near) === 1)) {
    return { ...problem, message, fix: `Did you mean "${near}"?` }
  }
  const place = misplaced ?? guessedPlace(name, elsewhere)
  if (place === undefined) return { ...problem, message, fix: `Use one of: ${Object.keys(table).join(', ')}.` }
  return {
    ...problem,
    message: `${message.slice(0, -1)}; ${place.name} belongs ${place.group === undefined ? 'to the top level' : `into ${place.group.name}`}.`,
    // The value of a name that is only guessed may be anything, a secret as well.
    fix: moveTo(place, place === misplaced ? value : undefined, scope)
  }
}

/** Whether an option that is written in a group may be meant for a place: not for that of another group which takes the same options. */
function isElsewhere(place: Place, scope: Scope): boolean {
  const { group } = place
  if ((group?.name ?? '') === scope.path) return false
  if (group === undefined) return true
  const { table } = scope.top
  const [outermost] = scope.path.split('.')
  const isTwin = group.name !== outermost && table[outermost!]?.read === table[group.name]!.read
  return !isTwin && besideOf(place, scope) !== undefined
}

const isCalled = ({ name, rule }: Place, text: string) => name === text || rule.aliases?.includes(text) === true

/** A shorter name is one letter away from too many others. */
const MIN_GUESSED = 5

/** The place of an option whose name differs in one letter. */
function guessedPlace(text: string, places: readonly Place[]): Place | undefined {
  if (text.length < MIN_GUESSED) return undefined
  const name = text.toLowerCase()
  const near = places.find((place) => editDistance(name, place.name.toLowerCase()) <= 1)
  return near?.rule.decidesTrust === true ? undefined : near
}

/** How to write an option at its place. What stands there stays: an advice that left some of it out would be taken with the rest. */
function moveTo(place: Place, value: unknown, scope: Scope): string {
  const { name, group } = place
  const { options } = scope.top
  const own = `${name}: ${valueFor(place, value, scope)}`
  const end = scope.path === '' ? '' : ' at the top level'
  if (group === undefined) {
    return hasProperty(options, name) ? `It stands at the top level: leave it out here.` : `Write ${own}${end}.`
  }
  const given = propertyOf(options, group.name)
  const there = isObject(given) ? Object.keys(given).filter((other) => other !== name) : []
  const beside = [...new Set([...besideOf(place, scope)!, ...there])]
  const members = beside.map((other) => {
    const rule = group.table[other]
    const isThere = there.includes(other)
    const otherValue = propertyOf(isThere ? (given as object) : options, other)
    if (rule === undefined) return undefined
    const written = valueFor({ name: other, rule, group }, otherValue, scope)
    return isThere && written !== literal(otherValue) ? undefined : `${other}: ${written}`
  })
  if (members.includes(undefined)) {
    const kept = there.join(' and ')
    const needed = members.filter((_, i) => !there.includes(beside[i]!))
    return `Write ${group.name}: { ${[...needed, own].join(', ')} }${end}, and keep ${kept} in it.`
  }
  const entry = `${group.name}: { ${[...members, own].join(', ')} }`
  const takesNone = given !== undefined && !isObject(given) && isAccepted(group.name, given, scope)
  return `Write ${entry}${end}${takesNone ? `, in place of ${shown(given)}, which takes no options` : ''}.`
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** Whether a value is one of an option at the top level. */
const isAccepted = (name: string, value: unknown, scope: Scope) =>
  new Option(name, undefined, scope).attempt(value, scope.top.table[name]!.read).length === 0

/** What has to stand beside an option of a group; undefined where that has no place for it. */
const besideOf = ({ name, group }: Place, scope: Scope) =>
  group!.beside(name, propertyOf(scope.top.options, group!.name), scope.path === '')

/** The value that was given where it would be accepted there and may be shown: as it stands, as a list, or out of one; else an example. */
function valueFor({ name, rule }: Place, value: unknown, scope: Scope): string {
  if (rule.isSecret) return rule.example
  const option = new Option(name, undefined, scope)
  const items = typeof value === 'string' ? listIn(value) : []
  const only = Array.isArray(value) && value.length === 1 ? value : []
  for (const candidate of [value, ...(items.length === 0 ? [] : [items]), ...only]) {
    const written = literal(candidate)
    if (written !== undefined && option.attempt(candidate, rule.read).length === 0) return written
  }
  return rule.example
}
