import type { FastifyInstance } from 'fastify'
import { RegisteredTwiceError } from '../errors.js'

/** Where a server keeps the scopes that are guarded: on the server itself, so that two copies of this package know each other. */
const SCOPES = Symbol.for('moengage-allowlist.scopes')

/**
 * Notes that a scope is guarded.
 *
 * @returns all guarded scopes of the server, in which others appear later; the first guard that was registered comes first
 * @throws RegisteredTwiceError (`MOE_ERR_REGISTERED_TWICE`) when a scope around it or inside of it is guarded already: whichever
 * was registered first, two guards would judge the same requests
 */
export function claimScope(app: FastifyInstance): readonly FastifyInstance[] {
  const server = app.server as unknown as { [SCOPES]?: FastifyInstance[] }
  const scopes = server[SCOPES] ?? []
  server[SCOPES] = scopes
  const inner = scopes.find((scope) => Object.prototype.isPrototypeOf.call(app, scope))
  if (app.hasDecorator('moengage') || inner !== undefined) {
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
  scopes.push(app)
  return scopes
}
