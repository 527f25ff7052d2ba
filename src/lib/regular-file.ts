import type { Stats } from 'node:fs'
import { builtin } from './builtin.js'

/**
 * Looks at a file before it is read or replaced: opening a pipe could block for ever, and what replaces a device is no device. A link is
 * followed.
 *
 * @param instead what to do if it is not a regular file
 * @returns undefined if there is nothing yet
 * @throws (rejects with) Error if it is not a regular file, or is a link to nothing
 */
export async function regularFile(path: string, instead?: string): Promise<Stats | undefined> {
  const { lstat, stat } = builtin('node:fs').promises
  const own = await lstat(path).catch(ignoreMissing)
  if (own === undefined) return undefined
  const found = own.isSymbolicLink() ? await stat(path).catch(ignoreMissing) : own
  if (found === undefined) throw new Error('it is a link to a file that does not exist')
  if (!found.isFile()) throw new Error(`it is not a regular file${instead === undefined ? '' : `; ${instead}`}`)
  return found
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
