import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

/** A server with one text, which a test may change; it answers 304 to those who have it already. */
export interface TextServer {
  text: string
  /** Answered instead of the text, if it is not 200. */
  status: number
  readonly url: string
  /** The status of each answer. */
  readonly answers: number[]
}

export async function serveText(t: Test, text: string, path = '/list'): Promise<TextServer> {
  const http = createServer((request, response) => {
    const etag = `"${createHash('sha256').update(server.text).digest('hex')}"`
    const isKnown = request.headers['if-none-match'] === etag
    const status = server.status === 200 && isKnown ? 304 : server.status
    server.answers.push(status)
    response.writeHead(status, { etag }).end(status === 200 ? server.text : undefined)
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  const server: TextServer = { text, status: 200, url: `http://127.0.0.1:${port}${path}`, answers: [] }
  t.teardown(() => {
    http.closeAllConnections()
    http.close()
  })
  return server
}
