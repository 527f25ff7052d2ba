import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { Command, InvalidArgumentError, Option } from 'commander'
import { ExportError, SourceError } from '../errors.js'
import { messageOf, withFullStop } from '../lib/text.js'
import { parseDuration } from '../lib/time.js'
import { readTime } from '../report/log-time.js'
import { readLines } from '../report/read-lines.js'
import { type Report, ReportBuilder } from '../report/report.js'
import { MARKS } from '../report/unwrap.js'
import { jsonOption, nameOf, readFileName } from './input.js'
import { Exit, hintAtTerminal, type Io, notify, type Output, writeJson } from './io.js'
import { writeOutput } from './output.js'
import { collected, RepeatableOption } from './repeatable.js'
import { reportText } from './report-text.js'
import { printable, styleFor } from './text.js'

/** With the default of 64 KB, reading a large log takes longer than understanding it. */
const CHUNK = 256 * 1024

const EXAMPLES = `
Reads the log of a Fastify, pino or Express server: JSON lines, also inside of
what Docker, Kubernetes, journald, syslog or a log store put around them, and
packed with gzip. Without files, or for "-", standard input is read.

A time is a day or a time in ISO 8601 (UTC), or how long ago: 90m, 2h, 7d.

Exit codes: 0 the log was read as a whole, 1 counts may be too low (the report
says why), 2 an error.

Examples:
  $ moengage-allowlist report app.log.1.gz app.log
  $ kubectl logs deploy/webhooks --since 24h | moengage-allowlist report
  $ moengage-allowlist report app.log --since 2h --route /moengage/connector
  $ moengage-allowlist report app.log --html report.html
  $ moengage-allowlist report app.log --json | jq .genuine`

interface Options {
  readonly senders: number
  readonly since?: string
  readonly until?: string
  readonly route?: readonly string[]
  readonly html?: string
  readonly json?: true
}

/** `report`: what a log says about rejected senders. */
export function reportCommand(io: Io): Command {
  return new Command('report')
    .description('read logs: who was rejected and why, and what to do next')
    .argument('[files...]', 'logs, or "-" for standard input', ['-'])
    .addOption(
      new Option('--senders <number>', 'maximum number of senders to list').default(20).argParser((text) => {
        if (/^\d{1,15}$/.test(text)) return Number(text)
        throw new InvalidArgumentError('Write a whole number.')
      })
    )
    .option('--since <time>', 'leave out earlier lines', (text) => readMoment(text, io))
    .option('--until <time>', 'leave out later lines', (text) => readMoment(text, io))
    .addOption(
      new RepeatableOption('--route <pattern>', 'only rejections on this route (repeat it)').argParser(
        (text, before?: string[]) => {
          if (text.trim() !== '') return collected(text, before)
          throw new InvalidArgumentError("It is empty. Write a route's pattern, such as /hooks/:id, or leave it out.")
        }
      )
    )
    .option('--html <file>', 'write a page for people, which opens in a browser', readFileName)
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (files: string[], { senders, json, html, route, ...times }: Options & Times, command: Command) => {
      refuseEmptySpan(times, command)
      const found = await Promise.all(files.map((file) => (file === '-' ? undefined : fileOf(file))))
      const logs = found.filter((file) => file !== undefined)
      if (html !== undefined) await refuseToReplace(html, logs)
      const builder = new ReportBuilder({ ...times, routes: route })
      const isKnown = logs.length === files.length
      const progress = new Progress(io.stderr, isKnown ? logs.reduce((sum, { size }) => sum + size, 0) : 0)
      const ids = new Map<string, string>()
      for (const [i, file] of files.entries()) {
        const id = file === '-' ? file : (found[i]?.id ?? file)
        const before = ids.get(id)
        if (before === undefined) await readFile(file, builder, progress, io)
        else notify(io, 'warning', `${nameOf(file)} is the same file as ${nameOf(before)}, and is read once.`)
        ids.set(id, before ?? file)
      }
      progress.end()
      const report = builder.report(senders)
      if (html !== undefined) await writePage(html, report, io)
      if (json) writeJson(io.stdout, report)
      else io.stdout.write(reportText(report, styleFor(io)))
      if (report.doubts.length > 0) throw new Exit(1)
    })
}

/** The start of a page of ours. */
const PAGE = /^<!doctype html>.{0,400}?<title>MoEngage webhooks: report on a log</s
/** More bytes than a page has up to its title. */
const START = 1000

/** `--html` takes the name behind it, which may be that of a log: it replaces a page of ours or an empty file only. */
async function refuseToReplace(file: string, logs: readonly LogFile[]): Promise<void> {
  const before = await fileOf(file)
  // What is no regular file cannot be replaced either, which is said when the page is written.
  if (before === undefined) return
  const log = logs.find(({ id }) => id === before.id)
  if (log === undefined && (before.size === 0 || PAGE.test(await startOf(file)))) return
  throw new ExportError({
    value: file,
    message:
      log === undefined
        ? `${file} is not a page of this command, so it is not replaced.`
        : `${file} is the log ${log.name}, so it is not replaced.`,
    fix: 'Name a new file behind --html, and the logs in front of it.'
  })
}

async function startOf(file: string): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of createReadStream(file, { end: START })) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

/** A regular file: links to the same one have the same `id`. */
interface LogFile {
  readonly name: string
  readonly id: string
  readonly size: number
}

/** Undefined if it is no regular file. A file that cannot be read is reported when it is opened. */
async function fileOf(name: string): Promise<LogFile | undefined> {
  const found = await stat(name, { bigint: true }).catch(() => undefined)
  return found?.isFile() ? { name, id: `${found.dev}:${found.ino}`, size: Number(found.size) } : undefined
}

async function writePage(file: string, report: Report, io: Io): Promise<void> {
  // Loaded on demand: other reports do without it.
  const { reportPage } = await import('../status-page/report-page.js')
  await writeOutput(file, reportPage(report, io.now()), io, 'name a file behind --html')
}

interface Times {
  readonly since?: number
  readonly until?: number
}

/** Between two times in the wrong order, or one time twice, no line can be. */
function refuseEmptySpan({ since, until }: Times, command: Command): void {
  if (since === undefined || until === undefined || since < until) return
  const [from, to] = [since, until].map((time) => new Date(time).toISOString())
  command.error(
    `error: --until (${to}) is not later than --since (${from}), so no line is between them. Write a later time behind --until, or an ` +
      'earlier one behind --since; a day stands for its first moment (UTC).'
  )
}

/** Reads a time, or how long ago it was. */
function readMoment(text: string, io: Io): number {
  const duration = parseDuration(text)
  // No line is older than 1970, and what is far older is no time of JavaScript.
  if (duration !== undefined && duration >= 0) return Math.max(0, io.now().getTime() - duration)
  const time = readTime(/^\d{4}-\d\d-\d\d$/.test(text.trim()) ? `${text.trim()} 00:00` : text)
  // A short number is a duration without its unit, and one that begins like a year a day or a time without its signs.
  if (time !== undefined && !/^(?:\d{1,8}|(?:19|20)\d{10}|(?:19|20)\d{12})$/.test(text.trim())) return time
  throw new InvalidArgumentError('Write a time like 2026-11-23T22:14Z, a day, or how long ago: 90m, 2h, 7d.')
}

async function readFile(file: string, builder: ReportBuilder, progress: Progress, io: Io): Promise<void> {
  const isInput = file === '-'
  if (isInput) hintAtTerminal(io, 'the log')
  builder.file(isInput ? 'Standard input' : printable(file))
  const source: Readable = isInput ? io.stdin : createReadStream(file, { highWaterMark: CHUNK })
  try {
    await readLines(counting(source, progress), builder, MARKS)
  } catch (error) {
    throw new SourceError({
      value: file,
      message: `${nameOf(file)} cannot be read: ${withFullStop(messageOf(error))}`,
      fix: 'Name a file, or "-" for standard input.'
    })
  }
}

async function* counting(source: Readable, progress: Progress): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    progress.add((chunk as Buffer).length)
    yield chunk as Buffer
  }
}

const BAR = 30

/** A bar on a terminal that shows how much was read. Elsewhere, or if the total is unknown, it shows nothing. */
export class Progress {
  readonly #terminal: Output | undefined
  readonly #total: number
  #done = 0
  #shown = -1

  /** @param total number of bytes; 0 if it is unknown */
  constructor(terminal: Output, total: number) {
    this.#terminal = terminal.isTTY && total > 0 ? terminal : undefined
    this.#total = total
  }

  add(bytes: number): void {
    this.#done += bytes
    // A log may grow while it is read.
    const percent = Math.min(100, Math.floor((100 * this.#done) / this.#total))
    if (this.#terminal === undefined || percent === this.#shown) return
    this.#shown = percent
    const bar = '#'.repeat(Math.floor((percent * BAR) / 100)).padEnd(BAR, '.')
    this.#terminal.write(`\r[${bar}] ${percent} %`)
  }

  /** Clears the bar. */
  end(): void {
    if (this.#shown !== -1) this.#terminal?.write('\r\x1b[K')
  }
}
