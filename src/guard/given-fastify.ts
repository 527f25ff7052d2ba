import { OptionsError } from '../errors.js'
import { bounded, shown } from '../lib/text.js'

const IN_FASTIFY = `await app.register(moengageAllowlist, { dataCenters: 'DC-01' })`

/** Whether something is a Fastify instance. It has a `then`, like a promise. */
function isFastify(value: unknown): boolean {
  const { hasDecorator, register } = Object(value) as { readonly [method: string]: unknown }
  return typeof hasDecorator === 'function' && typeof register === 'function'
}

/**
 * Refuses a Fastify instance in place of options: Fastify passes itself to what it registers, and only the plugin is made for that.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`)
 */
export function refuseFastify(options: unknown): void {
  if (!isFastify(options)) return
  refuse(
    options,
    'A Fastify instance was passed instead of options.',
    `In Fastify, import moengage-allowlist: ${IN_FASTIFY}.`
  )
}

/**
 * Refuses Fastify's reply in place of a response of Node: a middleware that is added as a hook could reject nobody.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`)
 */
export function refuseReply(response: object): void {
  const { hijack } = response as { readonly [method: string]: unknown }
  if (typeof hijack !== 'function') return
  refuse(
    response,
    "The guard of another server was added to Fastify as a hook: it cannot answer by Fastify's reply.",
    `In Fastify, import moengage-allowlist: ${IN_FASTIFY}.`
  )
}

/**
 * Refuses whatever the plugin of Fastify is called with outside of Fastify.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`)
 */
export function refuseNoFastify(app: unknown): void {
  if (isFastify(app)) return
  refuse(
    app,
    `${shown(app)} was passed instead of a Fastify instance: moengage-allowlist is the plugin of Fastify.`,
    'In Express, import moengage-allowlist/express; for node:http, moengage-allowlist/http; for Hono, Bun and Deno, moengage-allowlist/fetch; ' +
      `for others, see docs/frameworks.md. In Fastify, write ${IN_FASTIFY}.`
  )
}

function refuse(value: unknown, message: string, fix: string): never {
  throw new OptionsError([{ code: 'MOE_ERR_OPTION_VALUE', path: '', value: bounded(value), message, fix }])
}
