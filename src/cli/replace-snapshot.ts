import { randomUUID } from 'node:crypto'
import { readFile, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { readSnapshot } from '../directory/snapshot.js'
import { PageError } from '../errors.js'

/**
 * Writes a snapshot to a file, whole or not at all: whoever reads the file sees the old snapshot or the new one. A link is
 * followed. What exists and is no snapshot is left alone.
 *
 * @throws PageError (`MOE_ERR_PAGE`)
 */
export async function replaceSnapshot(file: string, text: string): Promise<void> {
  const target = await realpath(file).catch(() => file)
  await refuseOther(file, target)
  const draft = `${target}.${randomUUID()}.tmp`
  try {
    await writeFile(draft, text, { flag: 'wx' })
    await rename(draft, target)
  } catch (error) {
    await rm(draft, { force: true })
    throw refuse(file, `could not be written: ${(error as Error).message}.`, 'Check the folder.')
  }
}

async function refuseOther(file: string, target: string): Promise<void> {
  let before: string
  try {
    before = await readFile(target, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw refuse(file, `could not be read: ${(error as Error).message}.`, 'Name a file.')
  }
  try {
    readSnapshot(JSON.parse(before))
  } catch {
    throw refuse(file, 'is no snapshot, so it is not replaced.', 'Name another file, or remove this one.')
  }
}

const refuse = (file: string, what: string, fix: string) =>
  new PageError({ value: file, message: `${file} ${what}`, fix })
