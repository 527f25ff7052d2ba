import type { FastifyInstance, RouteOptions } from 'fastify'
import { findBuiltin } from '../lib/builtin.js'
import { misplacedOptions } from './misplaced-options.js'

/** Published by Fastify for each server that is made, so that hooks can be added to it. */
const INITIALIZATION = 'fastify.initialization'

/** A route, and the scope that it was added to. */
interface AddedRoute {
  readonly scope: FastifyInstance
  readonly route: RouteOptions
}

/** The routes that have options of a guard, in `config.moengage` or where nobody reads them, by server. */
const added = new WeakMap<object, AddedRoute[]>()

/**
 * A plugin's own `onRoute` hook misses routes that are added before the plugin is loaded, and so all those that follow
 * `app.register(…)` without `await`. The hook of the server sees them. Servers that are made before this module is loaded have none.
 */
findBuiltin('node:diagnostics_channel')?.subscribe(INITIALIZATION, (message) => {
  const { fastify } = message as { fastify: FastifyInstance }
  const routes: AddedRoute[] = []
  added.set(fastify.server, routes)
  fastify.addHook('onRoute', function (route) {
    if (route.config?.moengage !== undefined || misplacedOptions(route).length > 0) routes.push({ scope: this, route })
  })
})

/** The routes that have options of a guard in a scope and in those inside of it, as far as they are known. */
export function routesIn(scope: FastifyInstance): RouteOptions[] {
  return (added.get(scope.server) ?? []).filter((one) => isInside(scope, one.scope)).map(({ route }) => route)
}

/** The routes that have options of a guard and stand in none of some scopes of a server, as far as they are known. */
export function routesOutside(scopes: readonly FastifyInstance[], { server }: FastifyInstance): RouteOptions[] {
  return (added.get(server) ?? [])
    .filter((one) => !scopes.some((scope) => isInside(scope, one.scope)))
    .map(({ route }) => route)
}

function isInside(scope: FastifyInstance, other: FastifyInstance): boolean {
  return other === scope || Object.prototype.isPrototypeOf.call(scope, other)
}
