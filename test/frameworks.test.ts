import { createRequire } from 'node:module'
import t from 'tap'
import { LISTED, STRANGER } from './support/addresses.js'
import { start } from './support/example.js'
import { send, until } from './support/http.js'

// As CommonJS: what the package exports as ES modules is only a part of it.
const { Client } = createRequire(import.meta.url)('ssh2') as typeof import('ssh2')

const SERVERS: [example: string, table: [method: string, path: string, clientIp: string, status: number][]][] = [
  [
    'express-server',
    [
      ['POST', '/moengage/connector', LISTED, 200],
      ['POST', '/moengage/connector', STRANGER, 403],
      ['POST', '/segments', '52.1.205.204', 403],
      ['POST', '/segments', LISTED, 200]
    ]
  ],
  [
    'hono-server',
    [
      ['POST', '/moengage/connector', LISTED, 200],
      ['POST', '/moengage/connector', STRANGER, 403]
    ]
  ],
  [
    'nest-express',
    [
      ['POST', '/moengage/connector', LISTED, 200],
      ['POST', '/moengage/connector', STRANGER, 403]
    ]
  ],
  [
    'nest-fastify',
    [
      ['POST', '/moengage/connector', LISTED, 200],
      ['POST', '/moengage/connector', STRANGER, 403],
      ['GET', '/moengage/health', STRANGER, 200]
    ]
  ]
]

for (const [example, table] of SERVERS) {
  t.test(`the ${example} example guards its routes`, async (t) => {
    const { port } = await start(t, example)
    for (const [method, path, clientIp, status] of table) {
      const answer = await send({ port }, { method, path, headers: { 'x-forwarded-for': clientIp } })
      t.equal(answer.status, status, `${method} ${path} from ${clientIp}`)
      t.match(answer.body, status === 403 ? /could not be verified/ : /ok/)
    }
  })
}

/** Fetches the catalog as an SFTP client does, and tells whether a handshake came about. */
function fetchCatalog(port: number, password: string) {
  return new Promise<{ handshake: boolean; text?: string; error?: string }>((resolve) => {
    let handshake = false
    const client = new Client()
    client.on('handshake', () => {
      handshake = true
    })
    client.on('error', ({ message }) => resolve({ handshake, error: message }))
    client.on('close', () => resolve({ handshake, error: 'closed' }))
    client.on('ready', () => {
      client.sftp((error, sftp) => {
        if (error) return resolve({ handshake, error: error.message })
        sftp.readFile('/catalog.csv', 'utf8', (error, text) => {
          resolve(error ? { handshake, error: error.message } : { handshake, text: String(text) })
          client.end()
        })
      })
    })
    client.connect({ host: '127.0.0.1', port, username: 'moengage', password, readyTimeout: 30_000 })
  })
}

t.test('the sftp-catalog example serves whoever is listed and refuses strangers before the handshake', async (t) => {
  const env = { PASSWORD: 'secret', CATALOG: 'id,title\n1,Coat\n' }
  const listed = await start(t, 'sftp-catalog', { ...env, ALLOW: '127.0.0.1' })
  t.strictSame(await fetchCatalog(listed.port, 'secret'), { handshake: true, text: env.CATALOG })
  t.match(await fetchCatalog(listed.port, 'wrong'), { handshake: true, error: /authentication/ })
  const strangers = await start(t, 'sftp-catalog', env)
  t.match(await fetchCatalog(strangers.port, 'secret'), { handshake: false, error: /.+/ })
  await until(() => strangers.rejections().length > 0)
  t.match(strangers.rejections(), [{ moengage: { reason: 'not-listed', clientIp: '127.0.0.1' } }])
})
