import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { program } from './install.mjs'
import { ask, readSockets, start } from './running.mjs'
import { copyPrograms } from './servers.mjs'
import { checkTable, LISTED, ROWS, STRANGER } from './table.mjs'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** Bundles as wrangler does, into `worker.js`. Throws on any warning. */
export async function bundle(folder, list, minify, entry = 'worker.mjs') {
  const outfile = join(folder, minify ? 'worker.min.js' : 'worker.js')
  const { warnings, metafile } = await build({
    entryPoints: [join(folder, entry)],
    outfile,
    bundle: true,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['node:*', 'cloudflare:*'],
    define: { LIST: JSON.stringify(list) },
    minify,
    metafile: true,
    logLevel: 'silent'
  })
  assert.deepEqual(warnings, [], 'the bundler warns of nothing')
  const [output] = Object.values(metafile.outputs)
  // jose is optional, and not installed here.
  const outside = output.imports.filter(({ path }) => path !== 'jose')
  assert.deepEqual(outside, [], 'nothing is imported from outside of the bundle')
  const kilobytes = (bytes) => `${Math.ceil(bytes / 1000)} kB`
  return { size: kilobytes(output.bytes), packed: kilobytes(gzipSync(readFileSync(outfile)).length) }
}

/** A configuration of workerd as Cloudflare runs a Worker: with `cf`. */
export const config = (compatibilityDate) => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "internet", network = (allow = ["public", "private"]))
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (cfBlobHeader = "x-cf"), service = "main")]
);
const main :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.js")],
  compatibilityDate = "${compatibilityDate}"
);
`

/** A server of a list, which counts how often it was asked. */
export async function serveList() {
  const list = JSON.parse(readFileSync('src/directory/moengage.json', 'utf8'))
  const state = { asked: 0, revision: 'a'.repeat(40), close: () => server.close() }
  const server = createServer((_, response) => {
    state.asked++
    const provenance = { ...list.provenance, revision: state.revision }
    response.end(JSON.stringify({ ...list, provenance }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(state, { url: `http://127.0.0.1:${server.address().port}/moengage.json` })
}

async function until(condition) {
  for (let i = 0; i < 200; i++) {
    if (await condition()) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`It does not come about: ${condition}`)
}

/** What Cloudflare writes, what other Workers send, and what a runtime that is not Cloudflare's lets through. */
async function checkPeers(port) {
  const cf = { 'x-cf': '{}' }
  const table = [
    [{ ...cf, 'cf-connecting-ip': LISTED }, 200],
    [{ ...cf, 'cf-connecting-ip': STRANGER }, 403],
    [{ ...cf, 'cf-connecting-ip': STRANGER, 'x-forwarded-for': LISTED, 'x-real-ip': LISTED }, 403],
    [{ ...cf, 'cf-connecting-ip': `${LISTED}, ${STRANGER}` }, 403],
    [{ ...cf, 'cf-connecting-ip': LISTED, 'cf-worker': 'example.com' }, 403],
    [{ 'cf-connecting-ip': LISTED }, 403],
    [{ ...cf, 'cf-connecting-ip': 'unix' }, 403],
    [cf, 403]
  ]
  for (const [headers, status] of table) {
    assert.equal((await ask(port, '/', { headers })).status, status, JSON.stringify(headers))
  }
  return table.length
}

/** An hour of simulated time: the list is loaded once, again when a request comes an hour later, and not in between. */
async function checkHour(port, list) {
  const headers = { 'x-cf': '{}', 'cf-connecting-ip': LISTED }
  const pass = (milliseconds) => ask(port, '/pass', { method: 'POST', body: String(milliseconds) })
  const revision = async () => (await ask(port, '/status')).body.revision
  await ask(port, '/', { headers })
  assert.equal(list.asked, 1, 'the first request loads the list')
  list.revision = 'b'.repeat(40)
  await pass(HOUR / 2)
  await ask(port, '/', { headers })
  assert.equal(list.asked, 1, 'half an hour later it is not due')
  await pass(HOUR / 2)
  assert.equal((await ask(port, '/', { headers })).status, 200)
  await until(async () => (await revision()) === 'b'.repeat(12))
  assert.equal(list.asked, 2, 'an hour later a request refreshes it')
  await pass(HOUR)
  await ask(port, '/', { headers })
  await until(() => list.asked === 3)
  list.revision = 'c'.repeat(40)
  await pass(HOUR)
  assert.equal((await ask(port, '/cut', { headers })).status, 200)
  await pass(MINUTE)
  assert.equal(await revision(), 'b'.repeat(12), 'a reload that nothing waits for ends with the answer')
  assert.equal((await ask(port, '/', { headers })).status, 200)
  await until(async () => (await revision()) === 'c'.repeat(12))
}

/** Compatibility dates: `nodejs_compat` is on from 2026-08-04 on. */
const DATES = { 'without nodejs_compat': '2026-06-01', 'with nodejs_compat': '2026-11-01' }

export async function checkWorkers(check) {
  for (const [name, date] of Object.entries(DATES)) {
    await check(`workerd ${name}`, async (folder) => {
      const { path, version } = program('workerd')
      const list = await serveList()
      let server
      try {
        copyPrograms(folder)
        const small = await bundle(folder, list.url, true)
        const { size } = await bundle(folder, list.url, false)
        writeFileSync(join(folder, 'config.capnp'), config(date))
        const options = { cwd: folder, count: 1, read: readSockets }
        server = start(path, ['serve', 'config.capnp', '--control-fd=1'], options)
        const { http: port } = await server.listening
        // The peer of a Worker comes in a header, which two scenarios use themselves.
        const table = ROWS.filter(({ headers }) => !headers.some(([name]) => /^cf-connecting-ip$/i.test(name)))
        const verdicts = await checkTable(port, table)
        const peers = await checkPeers(port)
        await checkHour(port, list)
        const lines = server
          .output()
          .split('\n')
          .filter((line) => line !== '' && !/^\{"(?:event|level)"/.test(line))
        assert.deepEqual(lines, [], 'the runtime warns of nothing')
        return `${version}: ${verdicts} verdicts of the table, ${peers} peers, three hours, a reload that was cut off; the bundle has ${size}, minified ${small.size}, with gzip ${small.packed}`
      } catch (error) {
        error.message += `\n${server?.output()}`
        throw error
      } finally {
        server?.stop()
        list.close()
      }
    })
  }
}
