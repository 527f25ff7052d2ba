import type { KeyObject } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Command, InvalidArgumentError } from 'commander'
import { dayOf } from '../directory/snapshot.js'
import { SignatureError } from '../errors.js'
import { messageOf, readText, withFullStop } from '../lib/text.js'
import { DAY, isDay, parseDuration } from '../lib/time.js'
import { readPrivateKey } from '../signing/keys.js'
import { isDocumentName, NOT_A_NAME, type SignedDocument, signDocument } from '../signing/signed-document.js'
import { jsonOption, outputFile, readFileName, readOutput, readTrustedList } from './input.js'
import { type Io, notify, writeJson } from './io.js'
import { findOutput, replaceOutput } from './output.js'

interface Options {
  readonly key: string
  readonly name: string
  readonly listVersion?: number
  readonly expires: string
  readonly output?: string
  readonly json?: true
}

const EXAMPLES = `
LIST is "bundled", a snapshot or a help page (a file or https URL), or "-" for
standard input. Name, version and expiry are inside of what is signed. Servers
refuse a version that is lower than the one in use; without --list-version it is
the time in seconds.

Example:
  $ moengage-allowlist sign moengage.json --key list-signing.key \\
      --name production --expires 30d --output moengage.jws`

/** A key of Ed25519 in PEM takes 119 bytes. */
const MAX_KEY = 10_000

/** `sign`: a list as a signed document. */
export function signCommand(io: Io): Command {
  return new Command('sign')
    .description('sign a list, for the option verify of a source')
    .argument('<list>', 'the list')
    .requiredOption('--key <file>', 'the private key, as keygen wrote it', readFileName)
    .requiredOption('--name <name>', 'what the list is for, such as production', readName)
    .option('--list-version <number>', 'a whole number that grows (default: the time in seconds)', readVersion)
    .option('--expires <time>', 'a time from now, like 30d, or a day (YYYY-MM-DD)', '30d')
    .option('-o, --output <file>', 'write to a file (default: standard output)', readOutput)
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action((list: string, options: Options) => run(list, options, io))
}

function readName(text: string): string {
  if (isDocumentName(text)) return text
  throw new InvalidArgumentError(`It is ${NOT_A_NAME}.`)
}

function readVersion(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is not a whole number from 1.')
}

async function run(argument: string, options: Options, io: Io): Promise<void> {
  const { snapshot } = await readTrustedList(argument, io)
  const now = io.now().getTime()
  const document: SignedDocument = {
    kind: 'list',
    name: options.name,
    version: options.listVersion ?? Math.floor(now / 1000),
    expires: expiryOf(options.expires, now),
    payload: snapshot
  }
  const text = `${await signDocument(document, await readKeyFile(options.key, io))}\n`
  const output = outputFile(options.output)
  if (output === undefined) io.stdout.write(text)
  else await write(output, text, io)
  const { name, version, expires } = document
  const report = output === undefined ? io.stderr : io.stdout
  if (options.json) writeJson(report, { name, version, expires })
  else report.write(`Signed "${name}", version ${version}, expires ${expires}.\n`)
}

/** When a document expires that is signed now. */
export function expiryOf(text: string, now: number): string {
  const time = isDay(text) ? Date.parse(text) : now + (parseDuration(text) ?? Number.NaN)
  if (time > now && time < now + 3_660 * DAY) return new Date(time).toISOString()
  throw new SignatureError({
    value: text,
    message: `--expires ${text} is not a time within the next ten years.`,
    fix: `Write it like 30d or ${dayOf(new Date(now + 30 * DAY))}.`
  })
}

/** Reads the file of a private key, and warns if others can read the key. */
export async function readKeyFile(file: string, io: Io): Promise<KeyObject> {
  const { text, mode } = await readWithMode(file)
  const key = readPrivateKey(text)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    notify(io, 'warning', `Others can read the private key in ${file}: chmod 600 ${file}`)
  }
  return key
}

async function readWithMode(file: string): Promise<{ text: string; mode: number }> {
  try {
    const { mode } = await stat(file)
    return { text: await readText(createReadStream(file), MAX_KEY), mode }
  } catch (error) {
    if (!isKey(file)) throw refusal(file, 'read', error)
    throw new SignatureError({
      value: '…',
      message: 'The name of the key file is a private key itself, or looks like one, so it is not shown.',
      fix: 'Write the key to a file that only you can read, and name the file.'
    })
  }
}

/** Whether what should name a file seems to be a key: a variable of CI may hold either. */
const isKey = (file: string) => /[\r\n]|PRIVATE KEY|^[\w+/-]{40,}={0,2}$/.test(file)

async function write(file: string, text: string, io: Io): Promise<void> {
  try {
    await replaceOutput(await findOutput(file), text, io)
  } catch (error) {
    throw refusal(file, 'written', error)
  }
}

function refusal(file: string, what: string, error: unknown): SignatureError {
  const message = `${file} could not be ${what}: ${withFullStop(messageOf(error))}`
  return new SignatureError({ value: file, message, fix: 'Name another file.' })
}
