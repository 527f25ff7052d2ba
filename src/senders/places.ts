import type { RefusalReason } from '../verdict/verdict.js'
import type { RefusalsOf } from './refusals.js'
import type { Sender } from './senders.js'

/** Where an option has to accept more than it did: in the guard's options, or in those of routes that accept the same. */
export interface Place {
  readonly isGuard: boolean
  /** Patterns, at most eight; null where a route has none. Not asked for where it is the guard. */
  readonly routes: readonly (string | null)[]
  /** The data centers or channels that it accepts. */
  readonly accepts: readonly string[]
  /** The data centers of the senders that it rejected. */
  readonly missing: readonly string[]
}

/** What is known of rejected senders besides their counts. */
export interface PlacesContext {
  /** The data centers that the guard itself accepts; of a log, all that are accepted. Empty where they are not known. */
  readonly dataCenters: readonly string[]
  /** The channels that the guard itself accepts; undefined where that is not known. */
  readonly channels?: readonly string[]
  /** Undefined where nothing is known of the routes. */
  readonly refusals?: RefusalsOf
}

/** Maximum number of routes that a sentence names. */
const NAMED = 3

/**
 * The places whose options rejected some senders, the guard first. A route that accepts the same as the guard is taken to leave it to
 * the guard. Empty where that is forgotten, or written nowhere.
 */
export function placesOf(
  reason: RefusalReason,
  senders: readonly Sender[],
  { dataCenters, channels, refusals = () => [] }: PlacesContext
): Place[] {
  const isOfData = reason === 'other-data-center'
  const ofGuard = keyOf((isOfData ? dataCenters : channels) ?? [])
  const places = new Map<string, { accepts: readonly string[]; routes: Set<string | null>; missing: Set<string> }>()
  for (const { clientIp, listedFor } of senders) {
    const own = listedFor.map(({ dataCenter }) => dataCenter)
    for (const refusal of refusals(clientIp)) {
      // The list may have changed since.
      const isOver = isOfData && own.some((dataCenter) => refusal.dataCenters.includes(dataCenter))
      if (refusal.reason !== reason || isOver) continue
      const accepts = isOfData ? refusal.dataCenters : refusal.channels
      const key = keyOf(accepts)
      const place = places.get(key) ?? { accepts, routes: new Set(), missing: new Set() }
      places.set(key, place)
      place.routes.add(refusal.route)
      for (const dataCenter of own) place.missing.add(dataCenter)
    }
  }
  return [...places]
    .map(([key, { accepts, routes, missing }]) => ({
      isGuard: key === ofGuard,
      accepts,
      routes: [...routes],
      missing: [...missing]
    }))
    .sort((a, b) => Number(b.isGuard) - Number(a.isGuard))
}

const keyOf = (names: readonly string[]) => [...names].sort().join(', ')

/** The option `dataCenters` that accepts also what it rejected. */
export function dataCentersWith(accepted: readonly string[], missing: readonly string[]): string {
  const names = [...new Set([...accepted, ...missing])].sort()
  return `dataCenters: [${names.map((name) => `'${name}'`).join(', ')}]`
}

/** "route /a" or "routes /a, /b". */
export function routesText({ routes }: Place, unnamed = 'a route'): string {
  const patterns = routes.filter((route) => route !== null)
  if (patterns.length === 0) return unnamed
  const more = patterns.length > NAMED ? `, and ${patterns.length - NAMED} more` : ''
  return `${patterns.length === 1 ? 'route' : 'routes'} ${patterns.slice(0, NAMED).join(', ')}${more}`
}

const thoseRoutes = ({ routes }: Place) => (routes.length > 1 ? 'those routes' : 'that route')

/** What a place accepts: "route /a accepts DC-01 only". */
export function stanceOf(place: Place): string {
  const accepted = place.accepts.join(', ')
  if (place.isGuard) return `you accept ${accepted}`
  return `${routesText(place)} ${place.routes.length > 1 ? 'accept' : 'accepts'} ${accepted} only`
}

/** What to write where, so that a place accepts what it rejected. */
export function wideningOf(place: Place): string {
  const option = dataCentersWith(place.accepts, place.missing)
  return place.isGuard ? `write ${option}` : `widen ${thoseRoutes(place)} with ${option}`
}
