import type { FastifyInstance } from 'fastify'
import { RegisteredTwiceError } from '../errors.js'

/** Where a server keeps the scopes that are guarded: on the server itself, so that two copies of this package know each other. */
const SCOPES = Symbol.for('moengage-allowlist.scopes')

/**
 * Notes that a scope is guarded.
 *
 * @returns all guarded scopes of the server, in which others appear later; the first guard that was registered comes first
 * @throws RegisteredTwiceError (`MOE_ERR_REGISTERED_TWICE`) when a scope around it or inside of it is guarded already: whichever
 * was registered first, two guards would judge the same requests; or when a name that the guard needs is taken
 */
export function claimScope(app: FastifyInstance): readonly FastifyInstance[] {
  const server = app.server as unknown as { [SCOPES]?: FastifyInstance[] }
  const scopes = server[SCOPES] ?? []
  server[SCOPES] = scopes
  const inner = scopes.find((scope) => Object.prototype.isPrototypeOf.call(app, scope))
  const isInside = scopes.some((scope) => scope === app || Object.prototype.isPrototypeOf.call(scope, app))
  if (isInside || inner !== undefined) {
    const where =
      inner === undefined
        ? 'in this scope already, or in one around it'
        : `in a scope inside of this one already${inner.prefix ? ` (${inner.prefix})` : ''}`
    throw new RegisteredTwiceError({
      value: app.prefix,
      message: `moengage-allowlist is registered ${where}.`,
      fix: 'Register it once a scope; for routes that differ, set config.moengage or use sibling scopes.'
    })
  }
  const taken = takenName(app)
  if (taken !== undefined) {
    throw new RegisteredTwiceError({
      value: taken,
      message: `The name ${taken} is taken by another decorator of this scope, or of one around it.`,
      fix: 'Give that decorator another name: moengage-allowlist decorates the scope with app.moengage, app.verifyMoEngage and request.moengage.'
    })
  }
  scopes.push(app)
  return scopes
}

/** A name of the guard's that somebody else has decorated a scope with. */
function takenName(app: FastifyInstance): string | undefined {
  const name = ['moengage', 'verifyMoEngage'].find((decorator) => app.hasDecorator(decorator))
  if (name !== undefined) return `app.${name}`
  return app.hasRequestDecorator('moengage') ? 'request.moengage' : undefined
}
