import { createServer, type IncomingMessage, request } from 'node:http'
import { type AddressInfo, connect, type Server } from 'node:net'
import type { Test } from 'tap'

/** Listens on a free port of a loopback address until the test ends. */
export async function listenOn(t: Test, server: Server, host = '127.0.0.1', port = 0): Promise<number> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  t.teardown(() => {
    if ('closeAllConnections' in server) (server as ReturnType<typeof createServer>).closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** How a {@link forwardProxy} behaves. */
export interface ProxyBehaviour {
  /** Where requests for a host really go, as `host:port` to a port of loopback. */
  readonly hosts?: Readonly<Record<string, number>>
  /** The status with which it refuses every request. */
  readonly refuse?: number
}

/** A real forward proxy on loopback, and what it was asked for: `CONNECT host:port` or `GET url`. */
export async function forwardProxy(t: Test, { hosts = {}, refuse }: ProxyBehaviour = {}) {
  const asked: string[] = []
  const credentials: (string | undefined)[] = []
  const note = (line: string, { headers }: IncomingMessage) => {
    asked.push(line)
    credentials.push(headers['proxy-authorization'])
  }
  const server = createServer((incoming, response) => {
    note(`${incoming.method} ${incoming.url}`, incoming)
    if (refuse !== undefined) {
      response.writeHead(refuse).end('The proxy says no.')
      return
    }
    const { host, pathname } = new URL(incoming.url!)
    const { 'proxy-authorization': _, ...headers } = incoming.headers
    const to = { host: '127.0.0.1', port: hosts[host], path: pathname, headers, method: incoming.method }
    const outgoing = request(to as object, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    outgoing.on('error', () => response.writeHead(502).end())
    incoming.pipe(outgoing)
  })
  server.on('connect', (incoming, client) => {
    note(`CONNECT ${incoming.url}`, incoming)
    const port = hosts[incoming.url!]
    if (refuse !== undefined || port === undefined) {
      client.end(`HTTP/1.1 ${refuse ?? 502} No\r\n\r\n`)
      return
    }
    const upstream = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.pipe(client).pipe(upstream)
    })
    for (const [one, other] of [
      [upstream, client],
      [client, upstream]
    ] as const) {
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
    }
  })
  return { host: `127.0.0.1:${await listenOn(t, server)}`, asked, credentials }
}
