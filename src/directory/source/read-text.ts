/**
 * Reads UTF-8 from a file or a body, whole, but no more than `maxBytes`: leaving the loop ends the stream.
 *
 * @throws Error when it is larger, or not UTF-8
 */
export async function readText(chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const read: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    length += chunk.length
    if (length > maxBytes) throw new Error(`It is larger than ${maxBytes} bytes (maxBytes).`)
    read.push(chunk)
  }
  // Also drops a byte order mark.
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(read))
}
