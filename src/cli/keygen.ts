import { access, open, rm } from 'node:fs/promises'
import { Command } from 'commander'
import { SignatureError } from '../errors.js'
import { generateKeys } from '../signing/keys.js'
import { jsonOption, readFileName } from './input.js'
import { type Io, writeJson } from './io.js'

const EXAMPLES = `
FILE gets the private key, which only you can read; FILE.pub the public one. The
public key is printed, for the option verify: { publicKeys: ['…'] }. An existing
file is never replaced.

Example:
  $ moengage-allowlist keygen list-signing.key`

/** `keygen`: a new pair of Ed25519 keys. */
export function keygenCommand(io: Io): Command {
  return new Command('keygen')
    .description('make a pair of keys to sign lists with')
    .argument('<file>', 'where to write the private key', readFileName)
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, { json }: { json?: true }) => {
      // Before the private key is written, which would be left alone.
      await refuseExisting(`${file}.pub`)
      const { privatePem, publicPem, publicLine } = generateKeys()
      await writeNew(file, privatePem, 0o600)
      await writeNew(`${file}.pub`, publicPem, 0o644)
      if (json) writeJson(io.stdout, { privateKey: file, publicKeyFile: `${file}.pub`, publicKey: publicLine })
      else io.stdout.write(keysText(file, publicLine))
    })
}

const keysText = (file: string, publicLine: string) =>
  `The private key is in ${file}: keep it secret. The public key is in ${file}.pub, and in one line:\n\n${publicLine}\n`

async function refuseExisting(file: string): Promise<void> {
  const isThere = await access(file).then(
    () => true,
    () => false
  )
  if (isThere) throw refusal(file, EXISTS)
}

const EXISTS = 'exists already, and a key is never replaced'
const refusal = (file: string, what: string) =>
  new SignatureError({ value: file, message: `${file} ${what}.`, fix: 'Name another file.' })

/** Writes a file that does not exist yet, and that nobody else could open in between. */
async function writeNew(file: string, text: string, mode: number): Promise<void> {
  try {
    const handle = await open(file, 'wx', mode)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } catch (error) {
      // On a full disk. A part of a key is none, and would never be replaced.
      await rm(file, { force: true })
      throw error
    } finally {
      await handle.close()
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw refusal(file, code === 'EEXIST' ? EXISTS : `cannot be written: ${message}`)
  }
}
