import { randomUUID } from 'node:crypto'
import { realpath, rename, rm, stat, writeFile } from 'node:fs/promises'

/**
 * Writes a file, whole or not at all: whoever reads it sees the old text or the new one. A link is followed, and the
 * permissions stay. What is no file, such as a pipe, is written to.
 *
 * @throws Error of the system
 */
export async function replaceFile(file: string, text: string): Promise<void> {
  const target = await realpath(file).catch(() => file)
  const before = await stat(target).catch(() => undefined)
  if (before !== undefined && !before.isFile()) {
    await writeFile(target, text)
    return
  }
  const draft = `${target}.${randomUUID()}.tmp`
  try {
    await writeFile(draft, text, { flag: 'wx', mode: before?.mode ?? 0o666 })
    await rename(draft, target)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}
