import { Directory, directory } from '../directory/directory.js'
import type { Snapshot } from '../directory/snapshot.js'
import { SnapshotError } from '../errors.js'
import { quoted } from '../net/quoted.js'
import type { Io } from './io.js'
import { readText } from './read-text.js'

/**
 * Reads a list as it is named on the command line: `bundled`, a snapshot's JSON file, a help page (Markdown, MDX or HTML),
 * an http(s) URL of either, or `-` for standard input. Whether it is a snapshot or a page is told by what stands in it.
 *
 * @throws SourceError (`MOE_ERR_SOURCE`) when it cannot be read; SnapshotError (`MOE_ERR_SNAPSHOT`) and PageError
 * (`MOE_ERR_PAGE`) when it is not sound
 */
export async function readList(argument: string, io: Io): Promise<Directory> {
  if (argument === 'bundled') return directory
  const text = await readText(argument, io)
  try {
    return new Directory(isSnapshot(text) || argument.endsWith('.json') ? parse(text) : readPage(text, argument, io))
  } catch (error) {
    const failure = error as Error
    failure.message = `${argument === '-' ? 'Standard input' : quoted(argument)}: ${failure.message}`
    throw failure
  }
}

/** MDX may begin with a brace as well, but then with an expression. */
const isSnapshot = (text: string) => /^\s*\{\s*["}]/.test(text)

function parse(text: string): Snapshot {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new SnapshotError({
      value: text,
      message: `It is not JSON: ${(error as Error).message}.`,
      fix: 'Take it anew from its source.'
    })
  }
}

function readPage(_text: string, argument: string, io: Io): Snapshot {
  throw new Error(`${argument} ${io.env.HOME}`)
}
