import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'

/** The longest line that is read, in bytes; what our own lines take is far below. */
export const LONGEST_LINE = 1024 * 1024

/** Takes what is read, line by line. */
export interface LineSink {
  line(text: string): void
  /** A line that is too long to be one of ours. */
  tooLong(): void
}

const LINE_FEED = 10

/**
 * Reads a log line by line, in constant memory, out of gzip where it begins as gzip does.
 *
 * @throws (rejects with) what the stream fails with, or gzip that is damaged; lines before that have been handed over
 */
export async function readLines(source: AsyncIterable<Buffer>, sink: LineSink): Promise<void> {
  let rest: Buffer[] = []
  let length = 0
  let isSkipping = false
  const end = (piece: Buffer) => {
    if (isSkipping) sink.tooLong()
    else if (length + piece.length > 0) sink.line(Buffer.concat([...rest, piece]).toString('utf8'))
    rest = []
    length = 0
    isSkipping = false
  }
  for await (const chunk of await unpacked(source)) {
    const bytes = chunk as Buffer
    let start = 0
    for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, start)) {
      if (length + at - start > LONGEST_LINE) isSkipping = true
      end(bytes.subarray(start, at))
      start = at + 1
    }
    const left = bytes.subarray(start)
    length += left.length
    if (length > LONGEST_LINE) {
      isSkipping = true
      rest = []
    } else {
      rest.push(left)
    }
  }
  if (length > 0) end(Buffer.alloc(0))
}

/** The bytes of a stream, or of what was packed into it. */
async function unpacked(source: AsyncIterable<Buffer>): Promise<Readable> {
  const chunks = source[Symbol.asyncIterator]()
  const begin: Buffer[] = []
  let isEnd = false
  for (let length = 0; length < 2 && !isEnd; ) {
    const { value, done } = await chunks.next()
    isEnd = done === true
    if (isEnd) break
    begin.push(value)
    length += value.length
  }
  const head = Buffer.concat(begin)
  const whole = Readable.from(
    (async function* () {
      yield head
      if (!isEnd) yield* { [Symbol.asyncIterator]: () => chunks }
    })(),
    { objectMode: false }
  )
  if (head[0] !== 0x1f || head[1] !== 0x8b) return whole
  // What fails is told by whoever reads.
  return pipeline(whole, createGunzip(), () => {})
}
