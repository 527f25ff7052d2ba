import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { InvalidArgumentError, Option } from 'commander'
import { type Cells, type Directory, directory } from '../directory/directory.js'
import moengage from '../directory/moengage.json' with { type: 'json' }
import { type Channel, type DataCenter, type Outcome, readChannel, readDataCenter } from '../directory/names.js'
import { dayOf, type Snapshot } from '../directory/snapshot.js'
import { readBounded } from '../directory/source/load-directory.js'
import { isLoopback } from '../directory/source/read-source.js'
import { isSigned } from '../directory/source/source.js'
import { download } from '../directory/source/url.js'
import { type Problem, problemLine, SnapshotError, SourceError } from '../errors.js'
import { futureWarnings } from '../guard/status.js'
import { suspicionWarnings } from '../guard/suspicions.js'
import { type ForwardProxy, proxyFor } from '../lib/forward-proxy.js'
import { parseJson } from '../lib/json.js'
import { jsonList, partsIn } from '../lib/list-in-text.js'
import { messageOf, readText, withFullStop, withoutSecrets } from '../lib/text.js'
import { hintAtTerminal, type Io, notify } from './io.js'
import { RepeatableOption } from './repeatable.js'

/** MoEngage's page has 50 KB; a snapshot of ten thousand addresses has 1 MB. */
export const MAX_BYTES = 5_000_000
const TIMEOUT = 30_000

/**
 * Reads the list that an argument of the command line names: `bundled`, a snapshot's JSON file, a help page (Markdown, MDX or
 * HTML), a URL of either, or `-` for standard input. The text decides whether it is a snapshot or a page. Warnings about a page go to
 * standard error.
 *
 * @throws SourceError (`MOE_ERR_SOURCE`) if it cannot be read; SnapshotError (`MOE_ERR_SNAPSHOT`) and PageError (`MOE_ERR_PAGE`) if
 * it is not sound
 */
export async function readList(argument: string, io: Io): Promise<Directory> {
  return (await readListAndSnapshot(argument, io)).list
}

/** As {@link readList}, with the snapshot that the list was made of. */
export async function readListAndSnapshot(
  argument: string,
  io: Io
): Promise<{ readonly list: Directory; readonly snapshot: unknown }> {
  if (argument === 'bundled') return { list: directory, snapshot: moengage }
  const text = await readUnsigned(argument, io, '"bundled", ')
  try {
    const snapshot = isSnapshot(text, argument) ? readSnapshotText(text) : await readPage(text, argument, io)
    const list = readBounded(snapshot)
    const ahead = futureWarnings(list, io.now().getTime(), nameOf(argument))
    for (const warning of ahead) notify(io, 'warning', problemLine(warning))
    return { list, snapshot }
  } catch (error) {
    const failure = error as Error
    failure.message = `${nameOf(argument)}: ${failure.message}`
    throw failure
  }
}

/** As {@link readList}, with a warning for each reason for which a guard would refuse the list: what is made of it lets somebody in. */
export async function readTrustedList(argument: string, io: Io): ReturnType<typeof readListAndSnapshot> {
  const read = await readListAndSnapshot(argument, io)
  for (const warning of suspicionWarnings(read.list, nameOf(argument))) notify(io, 'warning', problemLine(warning))
  return read
}

/** MDX may begin with a brace as well, but then with an expression. */
function isSnapshot(text: string, argument: string): boolean {
  return /^\s*\{\s*["}]/.test(text) || argument.endsWith('.json')
}

function readSnapshotText(text: string): unknown {
  try {
    return parseJson(text)
  } catch (error) {
    const message = withFullStop(messageOf(error))
    throw new SnapshotError({ value: text, message, fix: 'Load it again from its source.' })
  }
}

/** Loads the readers of Markdown and HTML only for a page. */
async function readPage(text: string, argument: string, io: Io): Promise<Snapshot> {
  const { importPage } = await import('../help-page/import-page.js')
  const { snapshot, warnings } = importPage(text, { page: placeOf(argument), retrieved: dayOf(io.now()) })
  for (const warning of warnings) notify(io, 'warning', problemLine(warning))
  return snapshot
}

/**
 * Reads the file, the URL or the standard input that an argument names; at most 5 MB of UTF-8. A URL must answer within 30
 * seconds. Redirects are not followed, and plain http is refused except for this machine.
 *
 * @param also other values of the argument, for the error
 * @throws SourceError (`MOE_ERR_SOURCE`)
 */
export async function readArgument(argument: string, io: Io, also = ''): Promise<string> {
  let proxy: ForwardProxy | undefined
  try {
    if (argument.trim() === '') throw new Error('The name is empty.')
    if (argument === '-') hintAtTerminal(io, 'standard input')
    const url = isUrl(argument) ? safeUrl(argument) : undefined
    proxy = url && proxyFor(url, io.env)
    const text = url
      ? await fetchText(url, proxy, io)
      : await readText(argument === '-' ? io.stdin : createReadStream(argument), MAX_BYTES)
    if (text.trim() === '') throw new Error('It is empty.')
    return text
  } catch (error) {
    throw new SourceError({
      value: argument,
      message: `${nameOf(argument)} cannot be read${proxy ? ` through the proxy ${proxy.name}` : ''}: ${withFullStop(messageOf(error))}`,
      fix: `Name ${also}a file, an https URL, or "-" for standard input.`
    })
  }
}

/**
 * As {@link readArgument}, of a list or page.
 *
 * @throws SourceError (`MOE_ERR_SOURCE`) of a signed list too: commands have no public key to verify it by
 */
export async function readUnsigned(argument: string, io: Io, also = ''): Promise<string> {
  const text = await readArgument(argument, io, also)
  if (!isSigned(text)) return text
  throw new SourceError({
    value: argument,
    message: `${nameOf(argument)} is a signed list, and no command verifies signatures.`,
    fix: 'Name the list that was signed, as it was before "sign". Servers read the signed one by the option verify of a source.'
  })
}

/** The name of a file. It is empty where a variable of a shell is not set. */
export function readFileName(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It is empty: name a file.')
  if (text !== '-') return text
  throw new InvalidArgumentError('It must be a file. Write ./- for a file of this name.')
}

/** The value of `--output`: a file, or `-` for standard output. */
export const readOutput = (text: string): string => (text === '-' ? text : readFileName(text))

/** The file that `--output` names, if it names one. Commander replaces what a reader returns as undefined. */
export const outputFile = (output: string | undefined): string | undefined => (output === '-' ? undefined : output)

/** An argument as messages name it; a URL without its query, which often holds a token. */
export const nameOf = (argument: string) => (argument === '-' ? 'Standard input' : `"${withoutQuery(argument)}"`)

const isUrl = (argument: string) => /^https?:\/\//i.test(argument)

/** A URL without name, password, query and fragment, which often hold a token; another text without what looks like them. */
export function withoutQuery(argument: string): string {
  if (!isUrl(argument) || !URL.canParse(argument)) return withoutSecrets(argument)
  const { origin, pathname } = new URL(argument)
  return `${origin}${pathname}`
}

/** The place of a page, for a snapshot's provenance: without the folders of this machine, and without secrets. */
export function placeOf(argument: string): string {
  if (argument === '-') return 'standard input'
  return isUrl(argument) ? withoutQuery(argument) : basename(argument)
}

function safeUrl(argument: string): URL {
  const url = new URL(argument)
  // The error of `fetch` would quote them.
  if (url.username !== '' || url.password !== '') throw new Error('The URL carries a name or password.')
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw new Error('Everyone on the way can change a list over plain http. Use https, or download it in another way.')
  }
  return url
}

async function fetchText(url: URL, proxy: ForwardProxy | undefined, { fetch }: Io): Promise<string> {
  const downloaded = await download(url, {
    fetch,
    proxy,
    headers: { accept: '*/*' },
    maxBytes: MAX_BYTES,
    signal: AbortSignal.timeout(TIMEOUT),
    known: undefined
  })
  // Undefined only if a version is known already.
  return downloaded!.text
}

/** The list that a command reads; see `readList`. */
export const fromOption = () =>
  new Option(
    '--from <list>',
    '"bundled", a snapshot or help page (file or https URL), or "-" for standard input'
  ).default('bundled')

/** The selected data centers: `'all'`, or their ids. */
export const dataCenterOption = () =>
  namesOption<DataCenter>(
    '-d, --data-center <name>',
    'a data center, like DC-01 (repeat it, or a,b), or all',
    readDataCenter
  )

/** The selected channels: `'all'`, or their ids. */
export const channelOption = () =>
  namesOption<Channel>('-c, --channel <name>', 'a channel, like segment-sync (repeat it, or a,b), or all', readChannel)

export const jsonOption = () => new Option('--json', 'write JSON')

/** Refuses a list in JSON, which would be cut at its commas, in the place of `a,b`. */
export function readWords(text: string): string {
  const list = jsonList(text)
  if (list === undefined) return text
  const fix = list.length === 0 ? 'Leave it out.' : `Write ${list.join(',')}.`
  throw new InvalidArgumentError(`It is a list in JSON. ${fix}`)
}

/** The parts of an option's `a,b`. */
export const wordsIn = (text: string): string[] => partsIn(readWords(text))

/** The names given with an option, or all. */
export type Names<T> = 'all' | readonly T[]

function namesOption<T>(flags: string, description: string, read: (text: string) => Outcome<T>): Option {
  const readName = (name: string) => {
    const outcome = read(name)
    if ('ok' in outcome) return outcome.ok
    throw new InvalidArgumentError(`${outcome.problem.message} ${outcome.problem.fix}`)
  }
  return new RepeatableOption(flags, description).argParser(namesParser(readName))
}

/** Reads an option that is repeated or written as `a,b`; `all` holds whatever stands beside it. */
export function namesParser<T>(read: (name: string) => T): (text: string) => Names<T> {
  // Commander hands over what the option had before, but not whether that is its default.
  const names: ('all' | T)[] = []
  const isName = (name: 'all' | T): name is T => name !== 'all'
  return (text) => {
    names.push(...wordsIn(text).map((word) => (word.toLowerCase() === 'all' ? 'all' : read(word))))
    return names.every(isName) ? [...new Set(names)] : 'all'
  }
}

/** The selection of a command that no request could be verified by, with a fix that the command has. */
export function withoutAddresses(problem: Problem, { dataCenters }: Cells, also = ''): Problem {
  const names = [problem.value].flat()
  const isNeeded = dataCenters.every((dataCenter) => names.includes(dataCenter))
  const instead = isNeeded
    ? 'Name another'
    : `Leave ${names.map((name) => `"${name}"`).join(', ')} out, or name another`
  return { ...problem, fix: `${instead}: moengage-allowlist list shows what has addresses.${also}` }
}
