import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { Command, InvalidArgumentError, Option } from 'commander'
import { SourceError } from '../errors.js'
import { readLines } from '../report/read-lines.js'
import { ReportBuilder } from '../report/report.js'
import { nameOf } from './input.js'
import { type Io, notify, writeJson } from './io.js'
import { jsonOption } from './options.js'
import { Progress } from './progress.js'
import { reportText } from './report-text.js'
import { printable } from './text.js'

const EXAMPLES = `
Reads the log of a Fastify, pino or Express server, one JSON object a line, also
packed with gzip. Without files, or for "-", standard input is read.

Examples:
  $ moengage-allowlist report app.log app.log.1.gz
  $ journalctl -u webhooks -o cat | moengage-allowlist report
  $ moengage-allowlist report app.log --json | jq .canReject`

/** `report`: what a log says of rejected senders. */
export function reportCommand(io: Io): Command {
  return new Command('report')
    .description('read logs: who was rejected and why, and whether "tag" can become "reject"')
    .argument('[files...]', 'logs, or "-" for standard input', ['-'])
    .addOption(
      new Option('--senders <number>', 'how many senders to list').default(20).argParser((text) => {
        const number = Number(text)
        if (Number.isInteger(number) && number >= 0) return number
        throw new InvalidArgumentError('Write a whole number.')
      })
    )
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (files: string[], { senders, json }: { senders: number; json?: true }) => {
      const builder = new ReportBuilder()
      const sizes = await Promise.all(files.map(sizeOf))
      const progress = new Progress(io.stderr, sizes.includes(0) ? 0 : sizes.reduce((sum, size) => sum + size, 0))
      const damaged: string[] = []
      for (const file of files) {
        const source: Readable = file === '-' ? io.stdin : createReadStream(file)
        try {
          await readLines(counting(source, progress), builder)
        } catch (error) {
          const { code, message } = error as NodeJS.ErrnoException
          // What cannot be unpacked was cut off, or is still being written: the lines before count.
          if (!code?.startsWith('Z_')) {
            throw new SourceError({
              value: file,
              message: `${nameOf(file)} cannot be read: ${message.replace(/\.?$/, '.')}`,
              fix: 'Name a file, or "-" for standard input.'
            })
          }
          damaged.push(
            `${file === '-' ? 'Standard input' : printable(file)} ends early (${message}); what could be unpacked is counted.`
          )
        }
      }
      progress.end()
      for (const message of damaged) notify(io, 'warning', message)
      const report = builder.report(senders)
      if (json) writeJson(io.stdout, report)
      else io.stdout.write(reportText(report))
    })
}

async function* counting(source: Readable, progress: Progress): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    progress.add((chunk as Buffer).length)
    yield chunk as Buffer
  }
}

async function sizeOf(file: string): Promise<number> {
  // What cannot be read is told when its turn comes.
  return file === '-'
    ? 0
    : stat(file).then(
        ({ size }) => size,
        () => 0
      )
}
