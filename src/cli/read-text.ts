import { createReadStream } from 'node:fs'
import { SourceError } from '../errors.js'
import { quoted } from '../net/quoted.js'
import type { Io } from './io.js'

/** MoEngage's page has 50 KB; a snapshot of ten thousand addresses has 1 MB. */
const LIMIT = 5_000_000
const TIMEOUT = 30_000

/**
 * Reads a file, an http(s) URL, or `-` for standard input: at most 5 MB of UTF-8, without the byte order mark. A URL
 * must answer within 30 seconds and is not followed anywhere else.
 *
 * @throws SourceError (`MOE_ERR_SOURCE`)
 */
export async function readText(argument: string, io: Io): Promise<string> {
  try {
    const bytes = await collect(isUrl(argument) ? await download(argument, io) : openLocal(argument, io))
    if (bytes.length === 0) throw new Error('it is empty')
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new SourceError({
      value: argument,
      message: `${argument === '-' ? 'Standard input' : quoted(argument)} cannot be read: ${reasonOf(error as Error)}.`,
      fix: 'Name "bundled", a file, an http(s) URL, or "-" for standard input.'
    })
  }
}

export const isUrl = (argument: string) => /^https?:\/\//i.test(argument)

function openLocal(argument: string, io: Io): AsyncIterable<Uint8Array | string> {
  return argument === '-' ? io.stdin : createReadStream(argument)
}

async function download(url: string, io: Io): Promise<AsyncIterable<Uint8Array>> {
  const response = await io.fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT) })
  if (response.status === 200 && response.body !== null) return response.body
  await response.body?.cancel()
  const location = response.headers.get('location')
  throw new Error(
    location === null
      ? `the server answers with status ${response.status}`
      : `it redirects (${response.status}) to ${quoted(location)}, which is not followed; name that URL if you trust it`
  )
}

async function collect(chunks: AsyncIterable<Uint8Array | string>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    const part = Buffer.from(chunk)
    length += part.length
    if (length > LIMIT) throw new Error('it is larger than 5 MB')
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** `fetch` only says that it failed; its cause says why. */
function reasonOf({ message, cause }: Error): string {
  return cause instanceof Error ? `${message}: ${cause.message || (cause as NodeJS.ErrnoException).code}` : message
}
