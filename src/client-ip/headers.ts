import type { IncomingHttpHeaders } from 'node:http'

/** The `Headers` of a Fetch `Request`, as far as they are read. */
export interface FetchHeaders {
  /** The lines of a header joined by commas, or null. */
  get(name: string): string | null
}

/**
 * Request headers: Node's object (`request.headers`), its flat list (`request.rawHeaders`) where the order of repeated
 * lines matters, or the `Headers` of a Fetch `Request`.
 */
export type HeadersInput = IncomingHttpHeaders | readonly string[] | FetchHeaders

/** The lines of a header, in order, as one text; undefined when there is none. */
export function headerText(headers: HeadersInput, name: string): string | undefined {
  if (Array.isArray(headers)) return rawHeaderText(headers, name)
  const value: unknown = (headers as IncomingHttpHeaders)[name]
  if (value !== undefined && !isInherited(headers, name)) {
    if (typeof value === 'string') return value
    if (Array.isArray(value)) return value.join()
  }
  // A header may be named like something that every object inherits, but no header's value is a function.
  const { get } = headers as FetchHeaders
  return typeof get === 'function' ? (get.call(headers, name) ?? undefined) : undefined
}

/** Whether `Object.prototype` was polluted with a header. Asked in this order, since `hasOwn` alone costs 20 ns a request. */
function isInherited(headers: object, name: string): boolean {
  return (Object.prototype as unknown as Record<string, unknown>)[name] !== undefined && !Object.hasOwn(headers, name)
}

function rawHeaderText(headers: readonly string[], name: string): string | undefined {
  let text: string | undefined
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]!.length !== name.length || headers[i]!.toLowerCase() !== name) continue
    text = text === undefined ? headers[i + 1]! : `${text},${headers[i + 1]!}`
  }
  return text
}

/** Headers by which proxies hand on the client's address. */
const FORWARDED_HEADERS = [
  'x-forwarded-for',
  'forwarded',
  'x-real-ip',
  'cf-connecting-ip',
  'true-client-ip',
  'cloudfront-viewer-address',
  'fastly-client-ip',
  'fly-client-ip',
  'x-azure-clientip',
  'x-azure-socketip'
]

/** The forwarded headers that a request carries; `own`, which the user configured, comes first. */
export function forwardedHeaders(headers: HeadersInput, own: string | null): string[] {
  const names = new Set(own === null ? FORWARDED_HEADERS : [own, ...FORWARDED_HEADERS])
  return [...names].filter((name) => headerText(headers, name) !== undefined)
}
