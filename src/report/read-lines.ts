import { ByteReader, gunzip } from './gunzip.js'

/** Maximum length of a line, in bytes. Our own lines are far shorter. */
export const MAX_LINE = 1024 * 1024

/** A text in ASCII that a line must hold to be read. */
export interface Mark {
  readonly text: string
  /** The part of it to search for: one whose first letter is rare in logs is found in a third of the time. */
  readonly part: string
}

/** Receives a log line by line. */
export interface LineSink {
  /** @returns true if this line goes on in a later one, so that no line may be skipped until then */
  line(text: string): boolean
  /**
   * Lines that hold none of the marks, so that nobody has to read them.
   *
   * @param last the last of them, if no line of the same chunk follows
   */
  skipped(count: number, last: string | undefined): void
  /** Whether a part of a line that is too long is what makes a line matter. Parts overlap. */
  matters(part: string): boolean
  /**
   * A line longer than {@link MAX_LINE}, of which only the start is kept.
   *
   * @param hasMattered whether a part of it matters
   */
  tooLong(start: string, hasMattered: boolean): void
  /** Bytes of the log are missing; `what` continues a sentence about the file. */
  damaged(what: string): void
}

const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])
const XZ = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a])
const ZIP = Buffer.from([0x50, 0x4b, 0x03, 0x04])
/** Inflates with Node.js, which is there. */
const INFLATE = "node -e 'process.stdin.pipe(zlib.createInflate()).pipe(process.stdout)' < FILE"
/** Forms of a file that we cannot read, by its first bytes, and the command that can. */
const OTHER_FORMS: readonly [start: Buffer, what: string, command: string][] = [
  [ZSTD, 'packed with zstd; unpack it', 'zstd -dc FILE'],
  [XZ, 'packed with xz; unpack it', 'xz -dc FILE'],
  [Buffer.from('BZh'), 'packed with bzip2; unpack it', 'bzip2 -dc FILE'],
  [ZIP, 'packed with zip; unpack it', 'unzip -p FILE'],
  [Buffer.from([0x04, 0x22, 0x4d, 0x18]), 'packed with lz4; unpack it', 'lz4 -dc FILE'],
  [Buffer.from([0x5d, 0, 0]), 'packed with lzma; unpack it', 'lzma -dc FILE'],
  [Buffer.from([0x78, 0x01]), 'packed with zlib; unpack it', INFLATE],
  [Buffer.from([0x78, 0x9c]), 'packed with zlib; unpack it', INFLATE],
  [Buffer.from([0x78, 0xda]), 'packed with zlib; unpack it', INFLATE],
  [Buffer.from([0xff, 0xfe, 0, 0]), 'in UTF-32; convert it', 'iconv -f UTF-32 -t UTF-8 FILE'],
  [Buffer.from([0, 0, 0xfe, 0xff]), 'in UTF-32; convert it', 'iconv -f UTF-32 -t UTF-8 FILE']
]
const GZIP = Buffer.from([0x1f, 0x8b])
/** A part packed with bzip2 at its default level. These are letters, which a client may write, but not at the start of a line. */
const BZIP2 = Buffer.from('\nBZh91AY&SY')
/** What no UTF-8 of a log holds: a packed part, and a part in UTF-16 (the end of the word "moengage", in both orders of bytes). */
const OTHERS: readonly [bytes: Buffer, name: string][] = [
  [Buffer.from([0x1f, 0x8b, 0x08]), 'a part that is packed with gzip'],
  [ZSTD, 'a part that is packed with zstd'],
  [XZ, 'a part that is packed with xz'],
  [ZIP, 'a part that is packed with zip'],
  [BZIP2, 'a part that is packed with bzip2'],
  [Buffer.from('\0g\0a\0g\0e'), 'a part in UTF-16']
]
const LINE_FEED = 10
/** How much the parts of a line overlap that is too long. */
const OVERLAP = 256
/** A line that begins with white space may be blank, which counts as none. */
const SPACE = 32

/**
 * Reads a log line by line in constant memory, in UTF-8 or UTF-16, packed with gzip or not.
 *
 * @param marks a line that holds none of them may be skipped
 * @throws (rejects with) the error of the stream; Error if it is in another form
 */
export async function readLines(source: AsyncIterable<Buffer>, sink: LineSink, marks: readonly Mark[]): Promise<void> {
  const reader = new ByteReader(source)
  const head = await reader.peek(5)
  const [, what, command] = OTHER_FORMS.find(([start]) => head.indexOf(start) === 0) ?? []
  if (what !== undefined) throw new Error(`it is ${what}: ${command} | moengage-allowlist report`)
  const isGzip = head.indexOf(GZIP) === 0
  const bytes = isGzip ? new ByteReader(gunzip(reader, (what) => sink.damaged(what))) : reader
  const encoding = utf16(await bytes.peek(4))
  await splitLines(encoding === undefined ? checked(bytes, sink) : decoded(bytes, encoding), sink, marks)
}

/** The same bytes; a part that is not text is a damage. */
async function* checked(bytes: AsyncIterable<Buffer>, sink: LineSink): AsyncGenerator<Buffer> {
  const overlap = Math.max(...OTHERS.map(([bytes]) => bytes.length)) - 1
  let before: Buffer = Buffer.alloc(0)
  for await (const chunk of bytes) {
    const border = Buffer.concat([before, chunk.subarray(0, overlap)])
    for (const [bytes, name] of OTHERS) {
      if (chunk.includes(bytes) || border.includes(bytes)) {
        sink.damaged(`has ${name} among its text, which was not read: give each part as a file of its own`)
      }
    }
    before = Buffer.concat([before, chunk.subarray(-overlap)]).subarray(-overlap)
    yield chunk
  }
}

/** The kind of UTF-16 that a text begins with: by its byte order mark, or by the zeros beside ASCII. */
function utf16(head: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  const [first, second, third, fourth] = head
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0 && third !== 0 && fourth === 0)) {
    return 'utf-16le'
  }
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== 0 && third === 0 && fourth !== 0)) {
    return 'utf-16be'
  }
  return undefined
}

async function* decoded(bytes: AsyncIterable<Buffer>, encoding: string): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder(encoding)
  for await (const chunk of bytes) yield Buffer.from(decoder.decode(chunk, { stream: true }))
}

async function splitLines(chunks: AsyncIterable<Buffer>, sink: LineSink, marks: readonly Mark[]): Promise<void> {
  const search = new MarkSearch(marks)
  // A copy: a view of a few bytes, or of none, would keep the whole chunk in memory.
  const kept = Buffer.allocUnsafeSlow(MAX_LINE)
  /** Length of the line so far, of which at most {@link MAX_LINE} bytes are kept. */
  let length = 0
  let isOpen = false
  /** The end of what is known of a line that is too long. */
  let tail: Buffer | undefined
  let hasMattered = false
  const add = (bytes: Buffer) => {
    // A file that was emptied while it was written to begins with zeros.
    const piece = length === 0 ? withoutZeros(bytes) : bytes
    const before = length
    length += piece.length
    if (tail === undefined) piece.copy(kept, before)
    if (length <= MAX_LINE) return
    const part = Buffer.concat([tail ?? kept.subarray(0, before), piece])
    hasMattered ||= sink.matters(part.toString('latin1'))
    tail = Buffer.from(part.subarray(-OVERLAP))
  }
  const end = () => {
    const line = kept.toString('utf8', 0, Math.min(length, MAX_LINE))
    if (length > MAX_LINE) sink.tooLong(line, hasMattered)
    else if (length > 0) isOpen = sink.line(line)
    length = 0
    tail = undefined
    hasMattered = false
  }
  for await (const chunk of chunks) {
    search.begin(chunk)
    let start = 0
    let skipped = 0
    let last: [start: number, end: number] | undefined
    for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, start)) {
      // A line that began in the chunk before is read: a mark may lie across the border.
      if (length === 0 && !isOpen && chunk[start]! > SPACE && !search.isIn(start, at)) {
        skipped++
        last = [start, at]
      } else {
        add(chunk.subarray(start, at))
        end()
        last = undefined
      }
      start = at + 1
    }
    if (skipped > 0) sink.skipped(skipped, last && chunk.toString('utf8', ...last))
    add(chunk.subarray(start))
  }
  end()
}

/** Bytes without the zeros at their start. */
function withoutZeros(bytes: Buffer): Buffer {
  let start = 0
  while (bytes[start] === 0) start++
  return bytes.subarray(start)
}

/** Searches chunks for marks, each byte once for each mark. */
class MarkSearch {
  readonly #marks: readonly SearchedMark[]

  constructor(marks: readonly Mark[]) {
    this.#marks = marks.map((mark) => new SearchedMark(mark))
  }

  begin(chunk: Buffer): void {
    for (const mark of this.#marks) mark.begin(chunk)
  }

  /** Whether a mark begins in `[start, end)`. Lines are searched from left to right. */
  isIn(start: number, end: number): boolean {
    return this.#marks.some((mark) => mark.firstFrom(start) < end)
  }
}

class SearchedMark {
  readonly #text: Buffer
  readonly #part: Buffer
  /** Where the part stands in the text. */
  readonly #offset: number
  #chunk: Buffer = Buffer.alloc(0)
  /** Where the mark begins, at or behind the place that was asked for last. */
  #next = 0

  constructor({ text, part }: Mark) {
    this.#text = Buffer.from(text)
    this.#part = Buffer.from(part)
    this.#offset = text.indexOf(part)
  }

  begin(chunk: Buffer): void {
    this.#chunk = chunk
    this.#next = this.#search(0)
  }

  /** The first place from `start` on where the mark begins; infinite if there is none. Never goes back. */
  firstFrom(start: number): number {
    if (this.#next < start) this.#next = this.#search(start)
    return this.#next
  }

  #search(start: number): number {
    const chunk = this.#chunk
    let at = chunk.indexOf(this.#part, start + this.#offset)
    while (at !== -1) {
      const begin = at - this.#offset
      if (chunk.subarray(begin, begin + this.#text.length).equals(this.#text)) return begin
      at = chunk.indexOf(this.#part, at + 1)
    }
    return Number.POSITIVE_INFINITY
  }
}
