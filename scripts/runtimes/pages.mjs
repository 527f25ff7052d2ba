// The blocks of docs/runtimes.md, run as they stand: in a file of their own, beside the package, on what they are written for. What
// stands before them (an edge, a front end, a host) is played here.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { program, tool } from './install.mjs'
import { readSockets, start } from './running.mjs'
import { copyPrograms } from './servers.mjs'
import { LISTED, STRANGER } from './table.mjs'
import { bundle, config, serveList } from './workers.mjs'

/** Deno looks for a newer version of itself otherwise. */
const DENO_ENV = { NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' }

/** The code under a heading of the page. */
function blocksOf(heading) {
  const page = readFileSync('docs/runtimes.md', 'utf8')
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`))
  assert.ok(section, heading)
  return [...section.matchAll(/^```m?[jt]s\n([\s\S]*?)^```/gm)].map(([, code]) => code)
}

/** A port that nothing listens on. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Puts the packages of a tool beside the package. Returns their versions. */
function link(folder, name) {
  const { modules, packages } = tool(name)
  for (const one of Object.keys(packages)) {
    const path = join(folder, 'node_modules', one)
    mkdirSync(dirname(path), { recursive: true })
    rmSync(path, { recursive: true, force: true })
    symlinkSync(join(modules, one), path)
  }
  return Object.entries(packages)
    .map(([one, version]) => `${one} ${version}`)
    .join(', ')
}

/** Every client is judged by what the platform writes, whatever else it sends. */
async function checkClients(port, { path = '/', headersOf }) {
  const forged = [{}, { 'x-forwarded-for': LISTED, 'x-real-ip': LISTED }, { forwarded: `for=${LISTED}` }]
  let count = 0
  for (const [client, status] of [
    [LISTED, 200],
    [STRANGER, 403],
    ['2001:db8::7', 403]
  ]) {
    for (const sent of forged) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method: 'POST',
        headers: headersOf(client, sent),
        signal: AbortSignal.timeout(30_000)
      })
      const body = await response.json()
      assert.equal(response.status, status, JSON.stringify([client, sent, body]))
      assert.match(JSON.stringify(body), status === 200 ? /"ok"/ : /MOE_ERR_REJECTED/)
      count++
    }
  }
  return `${count} requests`
}

/** A proxy of ours appends to the header. */
const appending = (client, { 'x-forwarded-for': sent, ...others }) => ({
  ...others,
  'x-forwarded-for': sent === undefined ? client : `${sent}, ${client}`
})

/** Lets clients send requests to a server, and stops it. */
async function checkServer(server, port, requests) {
  try {
    return await checkClients(await port(), requests)
  } catch (error) {
    error.message += `\n${server.output()}`
    throw error
  } finally {
    server.stop()
  }
}

/** Runs a block that listens on port 3000, or where `PORT` says, behind a proxy on the same machine. The arguments name its file. */
async function checkListening(folder, { file, code, command = process.execPath, argv = [file], env }) {
  const port = await freePort()
  const trusted = `clientIp: { trustedProxies: ['loopback'] }`
  const text = code
    .replace('3000', `${port}`)
    .replace(`{ dataCenters: 'DC-01' }`, `{ dataCenters: 'DC-01', ${trusted} }`)
    .replace(`'169.254.0.0/16'`, `'loopback'`)
  writeFileSync(join(folder, file), text)
  // It prints no ports.
  const server = start(command, argv, { cwd: folder, count: 1, env: { ...env, PORT: `${port}` } })
  server.listening.catch(() => {})
  return checkServer(server, () => answers(port), { path: '/moengage/connector', headersOf: appending })
}

/** Resolves with a port when something listens on it. */
async function answers(port) {
  for (let i = 0; i < 300; i++) {
    try {
      await fetch(`http://127.0.0.1:${port}/`)
      return port
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  throw new Error('It does not listen')
}

/** Runs a block in a host that is played by a program of ours. */
async function checkHosted(folder, { host, file, code, headersOf, signal }) {
  copyPrograms(folder)
  writeFileSync(join(folder, file), code)
  const server = start(process.execPath, [join(folder, host), file], { cwd: folder, count: 1, signal })
  return checkServer(server, async () => Object.values(await server.listening)[0], { headersOf })
}

/** Calls the block's handler with events of both payloads and of a balancer. */
async function checkLambda(folder, code) {
  const file = join(folder, 'lambda.mjs')
  writeFileSync(file, code.replace(`{ dataCenters: 'DC-01' }`, `{ dataCenters: 'DC-01', logLevel: 'silent' }`))
  const { handler } = await import(pathToFileURL(file).href)
  const eventsOf = (client) => [
    { version: '2.0', headers: { 'x-forwarded-for': LISTED }, requestContext: { http: { sourceIp: client } } },
    { httpMethod: 'POST', headers: null, requestContext: { identity: { sourceIp: client } } },
    {
      httpMethod: 'POST',
      multiValueHeaders: { 'x-forwarded-for': [`${LISTED}, ${client}`] },
      requestContext: { elb: {} }
    }
  ]
  for (const event of eventsOf(LISTED)) assert.equal((await handler(event, {})).statusCode, 200)
  for (const event of eventsOf(STRANGER)) assert.equal((await handler(event, {})).statusCode, 403)
  return '6 events'
}

/** Runs a block as a Worker, with a list from a server of ours. */
async function checkWorker(folder, code) {
  const list = await serveList()
  writeFileSync(join(folder, 'page.ts'), code.replace('https://example.com/moengage.json', list.url))
  await bundle(folder, list.url, false, 'page.ts')
  writeFileSync(join(folder, 'config.capnp'), config('2026-11-01'))
  const options = { cwd: folder, count: 1, read: readSockets }
  const server = start(program('workerd').path, ['serve', 'config.capnp', '--control-fd=1'], options)
  const headersOf = (client, sent) => ({ ...sent, 'cf-connecting-ip': client, 'x-cf': '{}' })
  try {
    return await checkServer(server, async () => (await server.listening).http, { headersOf })
  } finally {
    list.close()
  }
}

export async function checkPages(check) {
  await check('page: Cloudflare Workers', async (folder) => checkWorker(folder, blocksOf('Cloudflare Workers')[0]))
  await check('page: Bun', async (folder) => {
    const { path, version } = program('Bun')
    const [code] = blocksOf('Bun and Deno')
    return `${version}: ${await checkListening(folder, { file: 'bun.mjs', code, command: path, argv: ['run', 'bun.mjs'] })}`
  })
  await check('page: Deno', async (folder) => {
    const { path, version } = program('Deno')
    const [, code] = blocksOf('Bun and Deno')
    const argv = ['run', '--no-prompt', '--no-remote', '--node-modules-dir=manual', '--allow-net', 'deno.mjs']
    return `${version}: ${await checkListening(folder, { file: 'deno.mjs', code, command: path, argv, env: DENO_ENV })}`
  })
  await check('page: Elysia', async (folder) => {
    const versions = link(folder, 'Elysia')
    const [code] = blocksOf('Elysia')
    const command = program('Bun').path
    return `${versions}: ${await checkListening(folder, { file: 'elysia.mjs', code, command, argv: ['run', 'elysia.mjs'] })}`
  })
  await check('page: Koa', async (folder) => {
    const versions = link(folder, 'Koa')
    const [code] = blocksOf('Koa')
    return `${versions}: ${await checkListening(folder, { file: 'koa.mjs', code })}`
  })
  await check('page: Google functions-framework', async (folder) => {
    const versions = link(folder, 'Google functions-framework')
    const [code] = blocksOf('Google Cloud Functions, Cloud Run')
    const main = 'node_modules/@google-cloud/functions-framework/build/src/main.js'
    const argv = [main, '--target=hooks', '--source=function.js']
    return `${versions}: ${await checkListening(folder, { file: 'function.js', code, argv })}`
  })
  await check('page: Vercel', async (folder) => {
    const versions = link(folder, 'Vercel')
    // Vercel overwrites this header; whatever a client sends in others reaches the function here.
    const headersOf = (client, sent) => ({ ...sent, 'x-vercel-forwarded-for': client, 'x-forwarded-host': 'a.example' })
    const hosted = { host: 'vercel-host.cjs', headersOf, signal: 'SIGTERM' }
    const [web, node] = blocksOf('Vercel')
    const counts = [
      `a fetch handler, ${await checkHosted(folder, { ...hosted, file: 'web.mjs', code: web })}`,
      `a handler of Node, ${await checkHosted(folder, { ...hosted, file: 'node.mjs', code: node })}`
    ]
    return `${versions}: ${counts.join('; ')}`
  })
  await check('page: Azure Functions', async (folder) => {
    const versions = link(folder, 'Azure Functions')
    const [code] = blocksOf('Azure Functions')
    const withPort = (client) => (client.includes(':') ? `[${client}]:4711` : `${client}:4711`)
    const headersOf = (client, sent) => appending(withPort(client), sent)
    return `${versions}: ${await checkHosted(folder, { host: 'azure-host.cjs', file: './azure.mjs', code, headersOf })}`
  })
  await check('page: Lambda', async (folder) => checkLambda(folder, blocksOf('AWS Lambda')[0]))
}
