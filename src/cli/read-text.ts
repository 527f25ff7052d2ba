import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { download } from '../directory/source/download.js'
import { readText } from '../directory/source/read-text.js'
import { SourceError } from '../errors.js'
import { messageOf } from '../lib/message-of.js'
import type { Io } from './io.js'

/** MoEngage's page has 50 KB; a snapshot of ten thousand addresses has 1 MB. */
const MAX_BYTES = 5_000_000
const TIMEOUT = 30_000

/**
 * Reads what an argument names: a file, an http(s) URL, or `-` for standard input; at most 5 MB of UTF-8. A URL must
 * answer within 30 seconds, and redirects are not followed.
 *
 * @param also what else the argument may be, for the error
 * @throws SourceError (`MOE_ERR_SOURCE`)
 */
export async function readArgument(argument: string, io: Io, also = ''): Promise<string> {
  try {
    const text = isUrl(argument) ? await fetchText(argument, io) : await readText(openLocal(argument, io), MAX_BYTES)
    if (text.trim() === '') throw new Error('It is empty.')
    return text
  } catch (error) {
    throw new SourceError({
      value: argument,
      message: `${nameOf(argument)} cannot be read: ${messageOf(error as Error).replace(/\.?$/, '.')}`,
      fix: `Name ${also}a file, an http(s) URL, or "-" for standard input.`
    })
  }
}

/** An argument as messages name it. */
export const nameOf = (argument: string) => (argument === '-' ? 'Standard input' : `"${argument}"`)

const isUrl = (argument: string) => /^https?:\/\//i.test(argument)

/** Where a page stands, as a snapshot says it: without the folders of this machine. */
export function placeOf(argument: string): string {
  if (argument === '-') return 'standard input'
  return isUrl(argument) ? argument : basename(argument)
}

function openLocal(argument: string, io: Io): AsyncIterable<Uint8Array> {
  return argument === '-' ? io.stdin : createReadStream(argument)
}

async function fetchText(argument: string, { fetch }: Io): Promise<string> {
  const downloaded = await download(new URL(argument), {
    fetch,
    headers: { accept: '*/*' },
    maxBytes: MAX_BYTES,
    signal: AbortSignal.timeout(TIMEOUT),
    known: undefined
  })
  // Undefined only where a version is known already.
  return downloaded!.text
}
