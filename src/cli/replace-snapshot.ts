import { readFile } from 'node:fs/promises'
import { readSnapshot } from '../directory/snapshot.js'
import { PageError } from '../errors.js'
import { replaceFile } from './replace-file.js'

/**
 * Writes a snapshot to a file, whole or not at all. What exists and is no snapshot is left alone.
 *
 * @throws PageError (`MOE_ERR_PAGE`)
 */
export async function replaceSnapshot(file: string, text: string): Promise<void> {
  await refuseOther(file)
  try {
    await replaceFile(file, text)
  } catch (error) {
    throw refuse(file, `could not be written: ${(error as Error).message}.`, 'Check the folder.')
  }
}

async function refuseOther(file: string): Promise<void> {
  let before: string
  try {
    before = await readFile(file, 'utf8')
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
