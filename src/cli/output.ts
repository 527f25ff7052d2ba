import { randomUUID } from 'node:crypto'
import { createReadStream, type Stats } from 'node:fs'
import { type FileHandle, open, realpath, rename, rm } from 'node:fs/promises'
import { ExportError } from '../errors.js'
import { regularFile } from '../lib/regular-file.js'
import { type Io, notify } from './io.js'

/** A file that `--output` names, as it was before the command. */
export interface OutputFile {
  /** With links followed. */
  readonly path: string
  /** Undefined if the file does not exist yet. */
  readonly before: Stats | undefined
}

const INSTEAD = 'leave --output out to write to standard output'

/**
 * Looks at the file that `--output` names. A link is followed.
 *
 * @param instead what to do if it is not a regular file
 * @throws Error if it exists and is not a regular file, is a link to nothing, cannot be read, or holds a private key
 */
export async function findOutput(file: string, instead = INSTEAD): Promise<OutputFile> {
  const before = await regularFile(file, instead)
  if (before === undefined) return { path: file, before }
  const path = await realpath(file)
  if (await holdsKey(path)) throw new Error('it holds a private key, which is never replaced')
  return { path, before }
}

const MAX_KEY = 4096

async function holdsKey(path: string): Promise<boolean> {
  const chunks: Buffer[] = await createReadStream(path, { end: MAX_KEY }).toArray()
  return Buffer.concat(chunks).includes('PRIVATE KEY-----')
}

/**
 * Writes a file as a whole or not at all: a reader sees the old text or the new one, also after a crash. Mode and owner stay; if the
 * system does not allow the owner, a warning says so.
 *
 * @throws Error of the system
 */
export async function replaceOutput({ path, before }: OutputFile, text: string, io: Io): Promise<void> {
  const draft = `${path}.${randomUUID()}.tmp`
  try {
    // Exclusive: a link that was put there beforehand is not followed.
    const handle = await open(draft, 'wx', 0o666)
    try {
      await handle.writeFile(text)
      if (before !== undefined) await keepOwner(handle, path, before, io)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

async function keepOwner(handle: FileHandle, path: string, { uid, gid, mode }: Stats, io: Io): Promise<void> {
  const own = await handle.stat()
  if (own.uid !== uid || own.gid !== gid) {
    await handle.chown(uid, gid).catch(({ message }: Error) => {
      notify(
        io,
        'warning',
        `${path} now belongs to user ${own.uid}, group ${own.gid}, no longer to ${uid}, ${gid}: ${message}.`
      )
    })
  }
  // After the owner, because a change of the owner may clear bits of the mode.
  await handle.chmod(mode & 0o7777)
}

/**
 * Writes the file that an option names.
 *
 * @param instead what to do if it is not a regular file
 * @throws ExportError (`MOE_ERR_EXPORT`) if it cannot be written
 */
export async function writeOutput(file: string, text: string, io: Io, instead?: string): Promise<void> {
  try {
    await replaceOutput(await findOutput(file, instead), text, io)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new ExportError({
      value: file,
      message: `${file} could not be written: ${message}.`,
      // A device or a pipe is refused by us, and not by the system.
      fix: code === undefined ? 'Name another file.' : 'Check the folder.'
    })
  }
}
