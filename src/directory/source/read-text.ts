/**
 * Reads UTF-8 from a file or a body as a whole.
 *
 * @throws Error if it is larger than `maxBytes`, or not UTF-8
 */
export async function readText(chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const read: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    length += chunk.length
    // Leaving the loop ends the stream.
    if (length > maxBytes) throw new Error(`It is larger than ${maxBytes} bytes (maxBytes).`)
    read.push(chunk)
  }
  // Also drops a byte order mark.
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(read))
}
