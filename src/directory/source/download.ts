import { readText } from './read-text.js'

/** By what a server knows a version again, so that it can be asked for a newer one. */
export interface Validators {
  readonly etag: string | null
  readonly lastModified: string | null
}

/** How something is downloaded. */
export interface DownloadOptions {
  readonly fetch: typeof fetch
  readonly headers: Readonly<Record<string, string>>
  readonly maxBytes: number
  readonly signal: AbortSignal
  /** Of the version that is there already, if any. */
  readonly known: Validators | undefined
}

/**
 * Downloads a text.
 *
 * @returns undefined where the known version is still the newest
 * @throws Error on any status but 200, a redirect, and a body larger than `maxBytes` or not in UTF-8
 */
export async function download(
  url: URL,
  { fetch, headers, maxBytes, signal, known }: DownloadOptions
): Promise<(Validators & { readonly text: string }) | undefined> {
  const asked = new Headers(headers)
  if (!asked.has('accept')) asked.set('accept', 'application/json')
  if (known?.etag) asked.set('if-none-match', known.etag)
  if (known?.lastModified) asked.set('if-modified-since', known.lastModified)
  const isConditional = asked.has('if-none-match') || asked.has('if-modified-since')
  const response = await fetch(url, { headers: asked, redirect: 'manual', signal })
  const { status } = response
  if (status !== 200) {
    await response.body?.cancel()
    if (status === 304 && isConditional) {
      if (isOther(response.headers.get('etag'), known?.etag)) {
        return download(url, { fetch, headers, maxBytes, signal, known: undefined })
      }
      return undefined
    }
    throw new Error(refusal(status, response.headers.get('location')))
  }
  return {
    // What comes out of decompression is counted: a small body cannot become a large one.
    text: await readText(bodyOf(response), maxBytes),
    etag: response.headers.get('etag'),
    lastModified: response.headers.get('last-modified')
  }
}

/** Whether a 304 is about another version than the one that was asked with: some cache has mixed them up. */
function isOther(etag: string | null, known: string | null | undefined): boolean {
  const opaque = (tag: string) => tag.replace(/^W\//, '')
  return etag !== null && known !== null && known !== undefined && opaque(etag) !== opaque(known)
}

/** A browser-like `fetch` hides the status of a redirect behind 0. */
function refusal(status: number, location: string | null): string {
  if (status !== 304 && (status === 0 || (status >= 300 && status < 400))) {
    const target = location === null ? '' : ` to ${location.replace(/[?#].*$/s, '')}`
    return `It redirects${target}; redirects are not followed, so name that address if you trust it.`
  }
  return `It answers with status ${status}.`
}

/** A missing body is treated as empty. */
async function* bodyOf({ body }: Response): AsyncGenerator<Uint8Array> {
  if (body !== null) yield* body
}
