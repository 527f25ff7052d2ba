import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { createGuard, loadGuard, verifyAlertSignature } from '../../src/core.js'
import guardNode from '../../src/http.js'
import { builtin, findBuiltin } from '../../src/lib/builtin.js'
import { emitWarning } from '../../src/lib/warning.js'
import { LISTED } from '../support/addresses.js'
import { freePort, type LogLine, send } from '../support/http.js'
import { lineLogger } from '../support/logger.js'

/** Runs something as a runtime without processes does, such as a Worker without `nodejs_compat`. */
function withoutProcess<T>(t: Test, run: () => T): T {
  const own = Object.getOwnPropertyDescriptor(globalThis, 'process')!
  t.teardown(() => Object.defineProperty(globalThis, 'process', own))
  Object.defineProperty(globalThis, 'process', { value: undefined, configurable: true, writable: true })
  try {
    return run()
  } finally {
    Object.defineProperty(globalThis, 'process', own)
  }
}

t.test('modules of Node are found where there are any', async (t) => {
  t.equal(builtin('node:path').basename('/a/b'), 'b')
  t.equal(findBuiltin('node:net'), builtin('node:net'))
})

t.test('a runtime without them judges, and says what the rest needs', async (t) => {
  t.equal(
    withoutProcess(t, () => findBuiltin('node:net')),
    undefined
  )
  const verdict = withoutProcess(t, () => createGuard({ dataCenters: 'DC-01' }).judge({ peer: LISTED, headers: {} }))
  t.match(verdict, { verified: true })
  const alert = { keys: 'key', signature: 'a'.repeat(64), body: '' }
  t.throws(() => withoutProcess(t, () => verifyAlertSignature(alert)), /node:crypto.*nodejs_compat/)
})

t.test('a warning goes to the process, or to the console where there is none', async (t) => {
  const warned = t.capture(console, 'warn', () => {})
  const emitted = t.capture(process, 'emitWarning', () => {})
  emitWarning('one')
  withoutProcess(t, () => emitWarning('two'))
  t.match([emitted(), warned()], [[{ args: ['one'] }], [{ args: ['two'] }]])
})

t.test('a source at a URL needs no environment', async (t) => {
  const url = `http://127.0.0.1:${await freePort()}/`
  const loading = withoutProcess(t, () => loadGuard({ dataCenters: 'DC-01', source: { url } }))
  await t.rejects(loading, { code: 'MOE_ERR_SOURCE', message: /ECONNREFUSED/ })
})

t.test('a server without diagnostics channels does not count the requests that pass by', async (t) => {
  const lines: LogLine[] = []
  const guard = withoutProcess(t, () => guardNode({ dataCenters: 'DC-01', logger: lineLogger(lines) }))
  t.teardown(() => guard.close())
  const server = createServer((_, response) => void response.end('open')).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  for (let i = 0; i < 5; i++) t.equal((await send({ port }, { method: 'POST' })).body, 'open')
  t.strictSame(lines, [])
})
