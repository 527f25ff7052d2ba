/**
 * A fleet in one command: npm run fleet. It starts a server of Redis (or of Valkey, or uses the one that REDIS_URL names), three replicas,
 * and shows what one command changes, and what happens when the store or a replica is killed.
 */
import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const PORT = '16379'
const NEW_ADDRESS = '203.0.114.9'
const folder = mkdtempSync(join(tmpdir(), 'fleet-'))
const url = process.env.REDIS_URL ?? `redis://127.0.0.1:${PORT}`
const bin = fileURLToPath(new URL('../../src/cli/bin.js', import.meta.url))

function startStore(): ChildProcess | undefined {
  if (process.env.REDIS_URL !== undefined) return undefined
  const program = process.env.REDIS_SERVER ?? 'redis-server'
  return spawn(program, ['--port', PORT, '--bind', '127.0.0.1', '--save', '', '--dir', folder], { stdio: 'ignore' })
}

function moengage(...argv: string[]): string {
  const env = { ...process.env, MOENGAGE_REDIS_URL: url, MOENGAGE_FLEET: 'story' }
  return execFileSync(process.execPath, [bin, ...argv], { env, encoding: 'utf8' }).trim()
}

async function startReplica(i: number): Promise<{ child: ChildProcess; port: number }> {
  const env = { ...process.env, REDIS_URL: url, COPY: join(folder, `copy-${i}.json`) }
  const child = fork(fileURLToPath(new URL('./replica.js', import.meta.url)), { env })
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return { child, port }
}

async function statuses(clientIp: string): Promise<string> {
  const answers = replicas.map(({ port }) =>
    fetch(`http://127.0.0.1:${port}/moengage/connector`, { method: 'POST', headers: { 'x-forwarded-for': clientIp } })
      .then(({ status }) => status)
      .catch(() => 'killed')
  )
  return (await Promise.all(answers)).join(' ')
}

const store = startStore()
await sleep(500)
const replicas = await Promise.all([0, 1, 2].map(startReplica))
console.log(`Three replicas on ${url}.`)
try {
  console.log(`\n1. A list for all of them\n${moengage('publish', 'bundled', '--wait')}`)
  console.log(`\n2. MoEngage calls from ${NEW_ADDRESS}, which is not listed: ${await statuses(NEW_ADDRESS)}`)
  console.log(moengage('override', 'allow', NEW_ADDRESS, '--for', '24h', '--note', 'ticket 4711', '--wait'))
  console.log(`From now on: ${await statuses(NEW_ADDRESS)}`)
  console.log('\n3. One replica is killed')
  replicas[2]!.child.kill('SIGKILL')
  await sleep(2500)
  console.log(moengage('fleet', 'status'))
  if (store !== undefined) {
    console.log('\n4. The store is killed')
    store.kill('SIGKILL')
    await sleep(1500)
    console.log(`The others go on: ${await statuses(NEW_ADDRESS)}`)
    replicas[2] = await startReplica(2)
    console.log(`One that starts now has its copy: ${await statuses(NEW_ADDRESS)}`)
  }
} finally {
  for (const { child } of replicas) child.kill()
  store?.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}
