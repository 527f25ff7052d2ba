import { Directory, directory } from '../directory/directory.js'
import { dayOf, type Snapshot } from '../directory/snapshot.js'
import { checkBounds } from '../directory/source/bounds.js'
import { SnapshotError } from '../errors.js'
import { importPage } from '../help-page/import-page.js'
import { parseJson } from '../lib/json.js'
import { problemLine } from '../problem.js'
import { type Io, tell } from './io.js'
import { nameOf, placeOf, readArgument } from './read-text.js'

/**
 * Reads a list as it is named on the command line: `bundled`, a snapshot's JSON file, a help page (Markdown, MDX or HTML),
 * an http(s) URL of either, or `-` for standard input. Whether it is a snapshot or a page is told by what stands in it;
 * what surprised in a page is told on stderr.
 *
 * @throws SourceError (`MOE_ERR_SOURCE`) when it cannot be read; SnapshotError (`MOE_ERR_SNAPSHOT`) and PageError
 * (`MOE_ERR_PAGE`) when it is not sound
 */
export async function readList(argument: string, io: Io): Promise<Directory> {
  if (argument === 'bundled') return directory
  const text = await readArgument(argument, io, '"bundled", ')
  try {
    return new Directory(isSnapshot(text, argument) ? readSnapshot(text) : readPage(text, argument, io))
  } catch (error) {
    const failure = error as Error
    failure.message = `${nameOf(argument)}: ${failure.message}`
    throw failure
  }
}

/** MDX may begin with a brace as well, but then with an expression. */
function isSnapshot(text: string, argument: string): boolean {
  return /^\s*\{\s*["}]/.test(text) || argument.endsWith('.json')
}

function readSnapshot(text: string): Snapshot {
  let snapshot: unknown
  try {
    snapshot = parseJson(text)
  } catch (error) {
    const message = (error as Error).message.replace(/\.?$/, '.')
    throw new SnapshotError({ value: text, message, fix: 'Take it anew from its source.' })
  }
  checkBounds(snapshot)
  return snapshot as Snapshot
}

function readPage(text: string, argument: string, io: Io): Snapshot {
  const { snapshot, warnings } = importPage(text, {
    page: placeOf(argument),
    retrieved: dayOf(io.now())
  })
  for (const warning of warnings) tell(io, 'warning', problemLine(warning))
  return snapshot
}
