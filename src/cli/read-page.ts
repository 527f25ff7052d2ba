import { open } from 'node:fs/promises'
import { PageError } from '../errors.js'
import type { Io } from './io.js'

const TIME_OUT = 30_000

/**
 * Reads a text from a file, from standard input (`-`) or from an http(s) URL.
 *
 * @param largest bytes; what is larger is refused before it is read as a whole
 * @throws PageError (`MOE_ERR_PAGE`)
 */
export async function readPage(place: string, io: Io, largest: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of await openPage(place, io)) {
      const bytes = Buffer.from(chunk as Uint8Array)
      size += bytes.length
      if (size > largest) throw refuse(place, `is larger than ${largest} bytes.`, 'Give the help page only.')
      chunks.push(bytes)
    }
  } catch (error) {
    if (error instanceof PageError) throw error
    const failure = refuse(place, `could not be read: ${reason(error)}.`, 'Check the place, then try again.')
    failure.cause = error
    throw failure
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    throw refuse(place, 'is not UTF-8.', 'Save it as UTF-8.')
  }
}

async function openPage(place: string, io: Io): Promise<AsyncIterable<unknown> | Iterable<unknown>> {
  if (place === '-') return io.stdin
  if (!/^https?:\/\//i.test(place)) return (await open(place)).createReadStream()
  const response = await io.fetch(place, { redirect: 'manual', signal: AbortSignal.timeout(TIME_OUT) })
  if (response.status !== 200) await response.body?.cancel()
  if (response.status >= 300 && response.status < 400) {
    const location = response.headers.get('location')
    throw refuse(place, `redirects to ${location}, which is not followed.`, 'Give that URL if you trust it.')
  }
  if (response.status !== 200) throw refuse(place, `answers with status ${response.status}.`, 'Check the URL.')
  return response.body ?? []
}

/** `fetch` tells what happened in the cause only. */
function reason(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? `${message} (${cause.message})` : message
}

const refuse = (place: string, what: string, fix: string) =>
  new PageError({ value: place, message: `${place === '-' ? 'Standard input' : place} ${what}`, fix })
