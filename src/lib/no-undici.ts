/**
 * Takes the place of `undici` in Workers, by `imports` of package.json: nothing leaves a Worker through a proxy, and a bundle would
 * carry half a megabyte for it.
 */
const refuse = (): never => {
  throw new Error(
    'A Worker cannot load a list through a proxy. Remove HTTPS_PROXY and HTTP_PROXY, or pass a fetch of your own.'
  )
}

export const Agent: unknown = refuse
export const ProxyAgent: unknown = refuse
export const fetch: unknown = refuse
