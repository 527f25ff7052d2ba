import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { program } from './install.mjs'
import { start } from './running.mjs'
import { checkSocket, checkTable } from './table.mjs'

/** Starts a program of ours, and checks everything that listens. */
export async function checkServer(command, argv, options) {
  const server = start(command, argv, options)
  try {
    const ports = await server.listening
    const counts = []
    if ('node:http' in ports) counts.push(`${await checkTable(ports['node:http'])} verdicts of the table`)
    for (const [name, port] of Object.entries(ports)) counts.push(`${await checkSocket(port)} requests to ${name}`)
    return counts.join(', ')
  } catch (error) {
    error.message += `\n${server.output()}`
    throw error
  } finally {
    server.stop()
  }
}

/** Puts the programs beside the package, where they find it by its name. */
export function copyPrograms(folder) {
  cpSync('scripts/runtimes/programs', folder, { recursive: true })
}

async function checkRuntime(folder, name, argv, ports) {
  const { path, version } = program(name)
  copyPrograms(folder)
  const server = await checkServer(path, [...argv, join(folder, 'server.mjs')], { cwd: folder, count: ports })
  const frameworks = await checkServer(path, [...argv, join(folder, 'frameworks.mjs')], { cwd: folder, count: 2 })
  return `${version}: ${server}, ${frameworks}`
}

export async function checkNodes(check) {
  for (const name of ['Node 20', 'Node 22', 'Node 24', 'Node 26']) {
    await check(name, (folder) => checkRuntime(folder, name, [], 1))
  }
}

/** The permissions of Deno are those that our own doors need; what the frameworks read besides is granted to them alone. */
const DENO = ['run', '--no-prompt', '--no-remote', '--node-modules-dir=manual', '--allow-net=127.0.0.1']

export async function checkOthers(check) {
  await check('Bun', (folder) => checkRuntime(folder, 'Bun', ['run'], 2))
  await check('Deno', async (folder) => {
    const { path, version } = program('Deno')
    copyPrograms(folder)
    const options = { cwd: folder, env: { NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' } }
    const server = await checkServer(path, [...DENO, join(folder, 'server.mjs')], { ...options, count: 2 })
    const allowed = [...DENO, '--allow-env', '--allow-sys', '--allow-read']
    const frameworks = await checkServer(path, [...allowed, join(folder, 'frameworks.mjs')], { ...options, count: 2 })
    return `${version}: ${server}, ${frameworks}; with --allow-net alone`
  })
}
