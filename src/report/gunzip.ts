import { crc32, createInflateRaw, type InflateRaw } from 'node:zlib'

/** The start of a member (RFC 1952): the magic number, and the only compression method there is. */
const MAGIC = Buffer.from([0x1f, 0x8b, 0x08])
const FIXED_HEADER = 10
const TRAILER = 8
/** A header may hold a name and a comment of any length. */
const MAX_HEADER = 65_536
const LINE_FEED = Buffer.from('\n')
const FLAGS = { crc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 }

/**
 * Unpacks gzip, member by member. Node's own `createGunzip` drops what it has unpacked of a chunk when the chunk turns out to be
 * damaged; this yields every byte up to the damage, ends that line, and continues with the next member.
 *
 * @param damaged called with each damage, in words that continue a sentence about the archive
 */
export async function* gunzip(reader: ByteReader, damaged: (what: string) => void): AsyncGenerator<Buffer> {
  while (await findMember(reader, damaged)) {
    if (!(await skipHeader(reader))) {
      damaged('has a damaged header')
      reader.skip(MAGIC.length)
    } else {
      yield* inflateMember(reader, damaged)
    }
  }
}

/** Skips to the next member. Zeros between members are padding; anything else is damage. */
async function findMember(reader: ByteReader, damaged: (what: string) => void): Promise<boolean> {
  let isGarbage = false
  for (;;) {
    const bytes = await reader.peek(MAGIC.length)
    const at = bytes.indexOf(MAGIC)
    const isEnd = bytes.length < MAGIC.length
    // The last bytes may be the first of a magic number.
    const skipped = at >= 0 ? at : isEnd ? bytes.length : bytes.length - MAGIC.length + 1
    isGarbage ||= bytes.subarray(0, skipped).some((byte) => byte !== 0)
    reader.skip(skipped)
    if (at < 0 && !isEnd) continue
    if (isGarbage) damaged('has other bytes between or behind its parts')
    return at >= 0
  }
}

async function skipHeader(reader: ByteReader): Promise<boolean> {
  const flags = (await reader.peek(FIXED_HEADER))[3] ?? FLAGS.reserved
  const bytes = await reader.peek(flags === 0 ? FIXED_HEADER : MAX_HEADER)
  if ((flags & FLAGS.reserved) !== 0 || bytes.length < FIXED_HEADER) return false
  let at = FIXED_HEADER
  if (flags & FLAGS.extra) at += 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0)
  for (const text of [FLAGS.name, FLAGS.comment]) {
    if ((flags & text) === 0) continue
    const end = bytes.indexOf(0, at)
    if (end < 0) return false
    at = end + 1
  }
  if (flags & FLAGS.crc) at += 2
  if (at > bytes.length) return false
  reader.skip(at)
  return true
}

async function* inflateMember(reader: ByteReader, damaged: (what: string) => void): AsyncGenerator<Buffer> {
  const inflater = new Inflater()
  // Follows one chunk behind. When a chunk is damaged, it unpacks that chunk byte by byte up to the damage.
  const follower = new Inflater()
  try {
    yield* inflateWith(inflater, follower, reader, damaged)
  } finally {
    inflater.close()
    follower.close()
  }
}

async function* inflateWith(
  inflater: Inflater,
  follower: Inflater,
  reader: ByteReader,
  damaged: (what: string) => void
): AsyncGenerator<Buffer> {
  let checksum = 0
  let size = 0
  for (;;) {
    const chunk = await reader.peek(1)
    if (chunk.length === 0) {
      damaged('ends early')
      yield LINE_FEED
      return
    }
    const { output, used, isDamaged } = await inflater.feed(chunk)
    if (isDamaged) {
      const { output, used } = await follower.feedByByte(chunk)
      yield* output
      reader.skip(used)
      damaged('is damaged')
      yield LINE_FEED
      return
    }
    for (const bytes of output) {
      checksum = crc32(bytes, checksum)
      size += bytes.length
    }
    yield* output
    reader.skip(used)
    if (used < chunk.length) break
    await follower.feed(chunk)
  }
  const trailer = (await reader.peek(TRAILER)).subarray(0, TRAILER)
  reader.skip(trailer.length)
  if (trailer.length < TRAILER) damaged('ends early')
  else if (trailer.readUInt32LE(0) !== checksum || trailer.readUInt32LE(4) !== size % 2 ** 32) {
    damaged('does not match its checksum')
  }
}

interface Inflated {
  readonly output: readonly Buffer[]
  /** Number of bytes that belong to the member: fewer than were fed at its end. */
  readonly used: number
  readonly isDamaged: boolean
}

/** Inflates one member, chunk by chunk. */
class Inflater {
  readonly #stream: InflateRaw = createInflateRaw()
  #output: Buffer[] = []
  #isDamaged = false

  constructor() {
    this.#stream.on('data', (bytes: Buffer) => this.#output.push(bytes))
    this.#stream.on('error', () => {
      this.#isDamaged = true
    })
  }

  async feed(chunk: Buffer): Promise<Inflated> {
    const before = this.#stream.bytesWritten
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#stream.off('error', done)
        resolve()
      }
      // The stream does not call back for a write that fails.
      this.#stream.on('error', done)
      this.#stream.write(chunk, done)
    })
    const output = this.#output
    this.#output = []
    return { output, used: this.#stream.bytesWritten - before, isDamaged: this.#isDamaged }
  }

  /** Feeds the bytes of a chunk one by one, up to the damage. */
  async feedByByte(chunk: Buffer): Promise<{ readonly output: readonly Buffer[]; readonly used: number }> {
    const output: Buffer[] = []
    let used = 0
    while (!this.#isDamaged && used < chunk.length) {
      output.push(...(await this.feed(chunk.subarray(used, used + 1))).output)
      used++
    }
    return { output, used }
  }

  close(): void {
    this.#stream.close()
  }
}

/** Reads ahead in a stream of bytes. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>
  #bytes: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Buffer>) {
    this.#chunks = source[Symbol.asyncIterator]()
  }

  /** The next bytes without consuming them: at least `length`, unless the stream ends. */
  async peek(length: number): Promise<Buffer> {
    while (this.#bytes.length < length) {
      const { value, done } = await this.#chunks.next()
      if (done === true) break
      this.#bytes = this.#bytes.length === 0 ? value : Buffer.concat([this.#bytes, value])
    }
    return this.#bytes
  }

  /** Consumes bytes that were peeked at. */
  skip(length: number): void {
    this.#bytes = this.#bytes.subarray(length)
  }

  /** The rest of the stream. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (let bytes = await this.peek(1); bytes.length > 0; bytes = await this.peek(1)) {
      this.skip(bytes.length)
      yield bytes
    }
  }
}
