/** The modules of Node that are loaded when they are first needed. */
interface Builtins {
  readonly 'node:crypto': typeof import('node:crypto')
  readonly 'node:diagnostics_channel': typeof import('node:diagnostics_channel')
  readonly 'node:fs': typeof import('node:fs')
  readonly 'node:net': typeof import('node:net')
  readonly 'node:path': typeof import('node:path')
  readonly 'node:url': typeof import('node:url')
  readonly 'node:worker_threads': typeof import('node:worker_threads')
}

/**
 * A module of Node; undefined where the runtime has none, such as a Worker without the flag `nodejs_compat`. An `import` would be
 * loaded with the door, and a bundler for Workers would refuse it.
 */
export function findBuiltin<Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined {
  const { process } = globalThis as { process?: Partial<Pick<NodeJS.Process, 'getBuiltinModule'>> }
  return process?.getBuiltinModule?.(name) as Builtins[Name] | undefined
}

/** @throws Error where the runtime does not have the module */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] {
  const found = findBuiltin(name)
  if (found !== undefined) return found
  throw new Error(`This runtime has no ${name}. On Cloudflare Workers set the compatibility flag nodejs_compat.`)
}
