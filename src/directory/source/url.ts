import { parseJson } from '../../lib/json.js'
import { type DownloadOptions, download, type Validators } from './download.js'
import { type OpenSource, UNCHANGED } from './source.js'

/** How a URL is asked, and how often. */
export interface SnapshotUrlOptions extends Pick<DownloadOptions, 'fetch' | 'headers' | 'maxBytes'> {
  readonly timeout: number
  readonly interval: number
}

/** A snapshot at a URL, asked for only where it is not the one that was accepted last. */
export class SnapshotUrl implements OpenSource {
  /** Without the query, which often holds a token. */
  readonly name: string
  readonly timeout: number
  readonly interval: number
  readonly #url: URL
  readonly #options: SnapshotUrlOptions
  #offered: Validators | undefined
  #known: Validators | undefined

  constructor(url: URL, options: SnapshotUrlOptions) {
    this.name = `${url.origin}${url.pathname}`
    this.timeout = options.timeout
    this.interval = options.interval
    this.#url = url
    this.#options = options
  }

  async load(signal: AbortSignal): Promise<unknown> {
    const found = await download(this.#url, { ...this.#options, signal, known: this.#known })
    // A `fetch` that ignores the signal may answer after the timeout.
    if (found === undefined || signal.aborted) return UNCHANGED
    this.#offered = found
    return parseJson(found.text)
  }

  /** Only now: a list that was refused must be refused again, and not be taken for the one in use. */
  accepted(): void {
    this.#known = this.#offered
  }
}
