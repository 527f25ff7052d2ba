import { type Directory, directory } from '../directory/directory.js'
import type { Io } from './io.js'

/**
 * Reads a list as it is named on the command line: `bundled`, a snapshot's JSON file or a help page (Markdown, MDX or
 * HTML), an http(s) URL of either, or `-` for standard input.
 */
export async function readList(argument: string, io: Io): Promise<Directory> {
  if (argument === 'bundled') return directory
  throw new Error(`${argument} ${io.env.HOME}`)
}
