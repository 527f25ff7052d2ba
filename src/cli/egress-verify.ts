import { Command, InvalidArgumentError, Option } from 'commander'
import { readEntries } from '../egress/entries.js'
import { type EchoResult, type Verification, verifyEgress } from '../egress/verify.js'
import { EgressError, SourceError } from '../errors.js'
import { jsonOption, readArgument } from './input.js'
import { Exit, type Io, notify, writeJson } from './io.js'
import { RepeatableOption } from './repeatable.js'
import { printable, type Style, styleFor, table } from './text.js'

const HELP = `
An echo service answers with the address that it sees: as text, or as JSON with
"ip", "address" or "origin". It learns your address, so there is no default: run
one outside of your network, or name one that you trust. Each is asked over IPv4
and IPv6 apart, or through the proxy that HTTPS_PROXY names, if there is one.

Exit codes: 0 every address that was seen is on the list, 1 one is not, 2 a
service did not answer, or an error.

Examples:
  $ moengage-allowlist egress verify egress.txt --url https://echo.example.com
  $ moengage-allowlist egress verify egress.txt --url https://echo.example.com \\
      --url https://echo.example.net/ip --times 10`

interface Options {
  readonly url: readonly URL[]
  readonly times: number
  readonly json?: true
}

/** `egress verify`: what this machine sends from. */
export function egressVerifyCommand(io: Io): Command {
  return new Command('verify')
    .description('ask echo services what this machine sends from, and compare it with a list')
    .argument('<file>', 'a list: a file, an https URL, or "-" for standard input')
    .addOption(
      new RepeatableOption('--url <url>', 'an echo service (repeat it)').argParser(readUrl).makeOptionMandatory()
    )
    .addOption(new Option('--times <number>', 'how often each is asked').argParser(readTimes).default(3))
    .addOption(jsonOption())
    .addHelpText('after', HELP)
    .action(async (file: string, { url: urls, times, json }: Options) => {
      const list = await readArgument(file, io)
      const { entries, errors } = readEntries(list)
      if (errors.length > 0) throw new EgressError(errors, list)
      const verification = await verifyEgress(entries, { urls, times, env: io.env, timeout: 10_000 }).catch((error) => {
        throw new SourceError({ value: undefined, message: error.message, fix: 'Correct or unset the variable.' })
      })
      if (json) writeJson(io.stdout, verification)
      else io.stdout.write(verificationText(verification, styleFor(io)))
      for (const doubt of verification.doubts) notify(io, 'warning', doubt)
      if (verification.outcome !== 'listed') throw new Exit(verification.outcome === 'unlisted' ? 1 : 2)
    })
}

function readUrl(text: string, before: readonly URL[] = []): readonly URL[] {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new InvalidArgumentError('Write an http(s) URL, like https://echo.example.com.')
  }
  if (url.username === '' && url.password === '') return [...before, url]
  // The error of `fetch`, which takes neither, would quote them.
  throw new InvalidArgumentError('The URL carries a name or password. Leave them out.')
}

function readTimes(text: string): number {
  const times = Number(text)
  if (/^\d+$/.test(text) && times >= 1 && times <= 100) return times
  throw new InvalidArgumentError('Write a whole number from 1 to 100.')
}

const OUTCOMES = {
  listed: ['green', 'Every address that was seen is on the list.'],
  unlisted: ['red', 'This machine sends from an address that is not on the list.'],
  unknown: ['red', 'A service did not answer, so it is not known what it would have seen.']
} as const

function verificationText({ outcome, results }: Verification, style: Style): string {
  const [colour, sentence] = OUTCOMES[outcome]
  return `${table(results.flatMap(resultRows))}

${style(colour, sentence)}
This compares with your file. It does not show what MoEngage's lists hold, nor
that one is enforced: only a refused call from an address outside of it does.
`
}

function resultRows({ url, way, seen, failure }: EchoResult): string[][] {
  const rows = seen.map(({ address, count, listedAs }) => {
    return [url, way, `${address} (${count}x)`, listedAs === null ? 'NOT LISTED' : `listed: ${listedAs}`]
  })
  return failure === null ? rows : [...rows, [url, way, 'no answer', printable(failure)]]
}
