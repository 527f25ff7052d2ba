/**
 * A catalog feed that MoEngage fetches over SFTP. A stranger's connection is closed before the handshake, so it cannot try a key.
 * From the environment: PORT (2222), PASSWORD, CATALOG (the text of the feed), and ALLOW for addresses besides MoEngage's.
 */
import { createHash, generateKeyPairSync, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:net'
import moengageAllowlist from 'moengage-allowlist/http'
import ssh2 from 'ssh2'

const { PORT = '2222', PASSWORD = 'open-sesame', CATALOG = 'id,title\nsku-1,Trench coat\n', ALLOW } = process.env
const { STATUS_CODE } = ssh2.utils.sftp
const digest = (text: string) => createHash('sha256').update(text).digest()
const catalog = Buffer.from(CATALOG)

// A new host key at each start; in production, read one from a file.
const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 3072,
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  publicKeyEncoding: { type: 'pkcs1', format: 'pem' }
})

const sshServer = new ssh2.Server({ hostKeys: [privateKey] }, (client) => {
  client.on('error', (error) => console.error(error.message))
  client.on('authentication', (attempt) => {
    if (attempt.method === 'password' && timingSafeEqual(digest(attempt.password), digest(PASSWORD))) attempt.accept()
    else attempt.reject(['password'])
  })
  client.on('session', (acceptSession) => {
    acceptSession().on('sftp', (acceptSftp) => {
      const sftp = acceptSftp()
      const attributes = { mode: 0o100444, uid: 0, gid: 0, size: catalog.length, atime: 0, mtime: 0 }
      const stat = (id: number, path: string) =>
        path === '/catalog.csv' ? sftp.attrs(id, attributes) : sftp.status(id, STATUS_CODE.NO_SUCH_FILE)
      sftp.on('REALPATH', (id) => sftp.name(id, [{ filename: '/', longname: '/', attrs: attributes }]))
      sftp.on('STAT', stat)
      sftp.on('LSTAT', stat)
      sftp.on('FSTAT', (id) => sftp.attrs(id, attributes))
      sftp.on('OPEN', (id, path) =>
        path === '/catalog.csv' ? sftp.handle(id, Buffer.from('c')) : sftp.status(id, STATUS_CODE.NO_SUCH_FILE)
      )
      sftp.on('READ', (id, _handle, offset, length) => {
        const part = catalog.subarray(offset, offset + length)
        if (part.length > 0) sftp.data(id, part)
        else sftp.status(id, STATUS_CODE.EOF)
      })
      sftp.on('CLOSE', (id) => sftp.status(id, STATUS_CODE.OK))
    })
  })
})

const guard = moengageAllowlist({ dataCenters: 'DC-01', channels: 'catalog', allow: ALLOW?.split(',') })
createServer(guard.connectionListener((socket) => sshServer.injectSocket(socket))).listen(
  Number(PORT),
  '127.0.0.1',
  () => console.log('Server listening')
)
