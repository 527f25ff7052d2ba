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
