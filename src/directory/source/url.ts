import type { Readable } from 'node:stream'
import { type ForwardProxy, fetchOnce } from '../../lib/forward-proxy.js'
import { AWAIT_FIX, callBack, drop, isWholePromise, itemsOf, resultOf } from '../../lib/promise.js'
import { readText, shown } from '../../lib/text.js'
import { SECOND } from '../../lib/time.js'
import { type OpenSource, UNCHANGED } from './source.js'

/** What a server says about a version, so that a client can ask for a newer one. */
export interface Validators {
  readonly etag: string | null
  readonly lastModified: string | null
}

/** How to download a text. */
export interface DownloadOptions {
  /** Used if there is no proxy. */
  readonly fetch: typeof fetch
  readonly proxy: ForwardProxy | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly maxBytes: number
  readonly signal: AbortSignal
  /** Of the version that the caller has already, if any. */
  readonly known: Validators | undefined
}

/**
 * Downloads a text.
 *
 * @returns undefined if the known version is still the newest
 * @throws Error on any status but 200, a redirect, and a body larger than `maxBytes` or not in UTF-8
 */
export async function download(
  url: URL,
  options: DownloadOptions
): Promise<(Validators & { readonly text: string }) | undefined> {
  const { fetch, proxy, headers, maxBytes, signal, known } = options
  const sent = new Headers(headers)
  if (!sent.has('accept')) sent.set('accept', 'application/json')
  // Conditions are this function's: the caller's own would be about a version that nobody has.
  sent.delete('if-none-match')
  sent.delete('if-modified-since')
  if (known?.etag) sent.set('if-none-match', known.etag)
  if (known?.lastModified) sent.set('if-modified-since', known.lastModified)
  const isConditional = sent.has('if-none-match') || sent.has('if-modified-since')
  const init = { headers: sent, redirect: 'manual', signal } as const
  const response: unknown = await (proxy === undefined ? resultOf(() => fetch(url, init)) : fetchOnce(proxy, url, init))
  refuseOther(response)
  const { status } = response
  const etag = headerOf(response, 'etag')
  if (status !== 200) {
    discard(response.body)
    if (status === 304 && isConditional) {
      // A cache on the way may answer for another version than the one that was asked about.
      const isAnother = known?.etag && etag !== null && opaque(etag) !== opaque(known.etag)
      return isAnother ? download(url, { ...options, known: undefined }) : undefined
    }
    throw new Error(refusal(status, headerOf(response, 'location')))
  }
  return {
    // Bytes are counted after decompression: a small body cannot become a large one.
    text: await readText(bodyOf(response), maxBytes),
    etag,
    lastModified: lastModifiedOf(response)
  }
}

/** A `fetch` that is the user's may return anything. */
function refuseOther(response: unknown): asserts response is Response {
  const { status, headers, body } = Object(response) as Partial<Response>
  const hasBody = body === null || typeof body?.[Symbol.asyncIterator] === 'function'
  if (typeof status === 'number' && typeof headers?.get === 'function' && hasBody) return
  // Of an object of a class, nothing else would be found.
  drop([response, status, headers, body])
  discard(body)
  const [part] = Object.entries({ status, headers, body }).find(([, value]) => isWholePromise(value)) ?? []
  const what = part === undefined ? shown(response) : `an object whose ${part} is a promise`
  const fix = part === undefined ? 'return' : 'await it, and return'
  throw new Error(
    `Your fetch returned ${what}, not a Response: ${fix} new Response(body, { status, headers }) from it.`
  )
}

/** @throws Error if the `get` of the headers, which may be the user's, returns no text */
function headerOf({ headers, body }: Response, name: string): string | null {
  const text: unknown = headers.get(name) ?? null
  if (text === null || typeof text === 'string') return text
  drop([text])
  discard(body)
  const [what, fix] = isWholePromise(text) ? ['a promise', ` ${AWAIT_FIX}`] : [shown(text), '']
  throw new Error(
    `The headers of the Response that your fetch returned have ${what} as "${name}", not a text or null.${fix}`
  )
}

/** Ends a body that nobody reads, whether it is one of the web or, as that of node-fetch, a stream of Node. */
function discard(given: unknown): void {
  callBack(
    () => {
      const body = given as Response['body'] | Readable
      if (body === null || 'cancel' in body) return body?.cancel()
      // A stream of Node that fails without a listener ends the process.
      body.on('error', () => {}).destroy()
    },
    () => {
      // The answer is known, or is refused.
    }
  )
}

/** An entity tag as weak comparison sees it (RFC 9110 section 8.8.3.2). */
const opaque = (etag: string) => etag.replace(/^W\//, '')

/** Null where the text may change again within the second that the header names: nobody would notice (RFC 9110 section 8.8.2.2). */
function lastModifiedOf(response: Response): string | null {
  const lastModified = headerOf(response, 'last-modified')
  if (lastModified === null) return null
  const date = headerOf(response, 'date')
  const answeredAt = date === null ? Date.now() : Date.parse(date)
  return answeredAt - Date.parse(lastModified) >= SECOND ? lastModified : null
}

/** A browser-like `fetch` hides the status of a redirect behind 0. */
function refusal(status: number, location: string | null): string {
  if (status !== 304 && (status === 0 || (status >= 300 && status < 400))) {
    return `It redirects${location === null ? '' : ` to ${withoutQuery(location)}`}; redirects are not followed, so name that address if you trust it.`
  }
  return `It answers with status ${status}.`
}

/** A query often holds a token. */
const withoutQuery = (location: string) => location.replace(/[?#].*$/s, '').replace(/\/\/[^/@]*@/, '//')

/** A missing body is treated as empty. */
async function* bodyOf({ body }: Response): AsyncGenerator<Uint8Array> {
  if (body === null) return
  for await (const chunk of itemsOf<unknown>(body)) {
    const bytes = chunk instanceof ArrayBuffer ? new Uint8Array(chunk) : chunk
    if (!ArrayBuffer.isView(bytes)) {
      drop([chunk])
      throw new Error(`The body of the Response that your fetch returned has ${shown(chunk)} in it, not bytes.`)
    }
    yield bytes as Uint8Array
  }
}

/** A shorter text stands in too much that is no secret, and is none. */
const SHORTEST_SECRET = 8

/** What may be secret in a request, in the forms in which an error may quote it: the longest first, since one may be a part of another. */
function secretsOf({ search, searchParams }: URL, headers: Readonly<Record<string, string>>): readonly string[] {
  const { accept, ...others } = headers
  const values = Object.values(others)
  // "Bearer" and "Basic" stand before what is secret.
  const words = values.flatMap((value) => value.split(' '))
  const written = search.split(/[?&]/).map((part) => part.slice(part.indexOf('=') + 1))
  return [...new Set([...values, ...words, ...written, ...searchParams.values()])]
    .filter(({ length }) => length >= SHORTEST_SECRET)
    .toSorted((a, b) => b.length - a.length)
}

/** How to ask a URL, and how often. */
export interface PolledUrlOptions extends Pick<DownloadOptions, 'fetch' | 'headers' | 'maxBytes' | 'proxy'> {
  readonly timeout: number
  readonly interval: number
}

/** The text at a URL. It is loaded only if it differs from the one that was accepted last. */
export class PolledUrl implements OpenSource {
  /** Without the query, which often holds a token. */
  readonly name: string
  readonly timeout: number
  readonly interval: number
  readonly via: string | undefined
  readonly secrets: readonly string[]
  readonly #url: URL
  readonly #options: PolledUrlOptions
  #offered: Validators | undefined
  #known: Validators | undefined

  constructor(url: URL, options: PolledUrlOptions) {
    this.name = `${url.origin}${url.pathname}`
    this.timeout = options.timeout
    this.interval = options.interval
    this.via = options.proxy?.name
    this.secrets = secretsOf(url, options.headers)
    this.#url = url
    this.#options = options
  }

  async load(signal: AbortSignal): Promise<string | typeof UNCHANGED> {
    const found = await download(this.#url, { ...this.#options, signal, known: this.#known })
    // A `fetch` that ignores the signal may answer after the timeout.
    if (signal.aborted) return UNCHANGED
    this.#offered = found ?? this.#known
    return found?.text ?? UNCHANGED
  }

  /** Only an accepted list becomes the known one: a list that was refused must be refused again. */
  accepted(): void {
    this.#known = this.#offered
  }
}
