import type { RouteOptions } from 'fastify'
import type { Problem } from '../errors.js'
import { fixFor } from '../lib/promise.js'
import { shown } from '../lib/text.js'

const NAME = 'moengage'

/** Where a route of Fastify stands, as mistakes name it: `POST /hook`. */
export function placeOf({ method, url }: Pick<RouteOptions, 'method' | 'url'>): string {
  return `${[method].flat().join(',')} ${url}`
}

/**
 * Options of the guard that a route has where nobody reads them, so that the route would accept what the guard accepts:
 * `config.moEngage`, or `moengage` beside `config`.
 */
export function misplacedOptions(route: RouteOptions): Problem[] {
  const { config = {} } = route
  return [
    ...spellings(config)
      .filter((name) => name !== NAME)
      .map((name) => problem(route, `config.${name}`, (config as Record<string, unknown>)[name])),
    ...spellings(route).map((name) => problem(route, name, (route as unknown as Record<string, unknown>)[name]))
  ]
}

/** The names of own properties that differ from ours in the case of their letters at most. */
function spellings(options: object): string[] {
  return Object.entries(options).flatMap(([name, value]) =>
    value !== undefined && name.toLowerCase() === NAME ? [name] : []
  )
}

function problem(route: RouteOptions, path: string, value: unknown): Problem {
  return {
    code: 'MOE_ERR_UNKNOWN_OPTION',
    path: `${placeOf(route)} ${path}`,
    value: shown(value),
    message: 'Options of the guard have no effect at this place.',
    fix: fixFor(value, `Write config: { ${NAME}: … }, with the same value.`)
  }
}
