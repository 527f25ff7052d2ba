// Prints the processor time that new processes take, in turns: to load each door, with its files and kilobytes, and to run whole
// commands. Give the folder of another build to compare with it: node scripts/door-times.mjs ../base
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const ROUNDS = 21
const folders = ['.', ...process.argv.slice(2)].map((folder) => resolve(folder))
const { exports, bin } = JSON.parse(readFileSync('package.json', 'utf8'))
const PLUGIN = exports['.'].default
const [BIN] = Object.values(bin)

/** Runs Node in a new process that writes a number of milliseconds as the last line of its standard error. */
function run(args) {
  const { stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  const [time] = /[\d.]+$/.exec(stderr) ?? []
  if (time === undefined || status > 1) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`)
  return Number(time)
}

/** Loads modules, one after the other; the time of the last one, without what Node takes to start. */
function load(...modules) {
  const loads = modules.map((module) => `before = process.cpuUsage(); await import(${JSON.stringify(module)})`)
  return run([
    '--input-type=module',
    '-e',
    `let before; ${loads.join(';')}; const { user, system } = process.cpuUsage(before); process.stderr.write('' + (user + system) / 1000)`
  ])
}

const AT_EXIT = `process.on('exit', () => { const { user, system } = process.cpuUsage(); process.stderr.write('' + (user + system) / 1000) })`

/** Runs a program; the time of the whole process. */
const command = (...args) => run(['--import', `data:text/javascript,${AT_EXIT}`, ...args])

/** The files of ours that a file loads, itself included. */
function filesOf(file, found = new Set()) {
  if (found.has(file)) return found
  found.add(file)
  const imports = readFileSync(file, 'utf8').matchAll(/^(?:import|export)\b[^'"]*?(?:from )?['"](\.[^'"]+)['"]/gm)
  for (const [, path] of imports) filesOf(resolve(file, '..', path), found)
  return found
}

const subjects = [
  { name: '`fastify` alone', measure: () => load('fastify') },
  { name: '`.`, after `fastify`', file: PLUGIN, measure: (file) => load('fastify', `file://${file}`) },
  ...Object.entries(exports)
    .filter(([door]) => door !== './package.json')
    .map(([door, { default: file }]) => ({ name: `\`${door}\``, file, measure: (file) => load(`file://${file}`) })),
  { name: 'the process `node -e 0`', measure: () => command('-e', '0') },
  { name: 'the process `moengage-allowlist --version`', file: BIN, measure: (file) => command(file, '--version') },
  {
    name: 'the process `moengage-allowlist explain 203.0.113.7`',
    file: BIN,
    measure: (file) => command(file, 'explain', '203.0.113.7')
  }
]

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]

console.log('| | build | files | kB | ms, median | ms, least |\n| --- | --- | ---: | ---: | ---: | ---: |')
for (const { name, file, measure } of subjects) {
  const builds = file === undefined ? [undefined] : folders.map((folder) => join(folder, file)).filter(existsSync)
  const times = builds.map(() => [])
  for (let round = 0; round < ROUNDS; round++) builds.forEach((path, i) => void times[i].push(measure(path)))
  for (const [i, path] of builds.entries()) {
    const files = path === undefined ? [] : [...filesOf(path)]
    const size = files.reduce((sum, one) => sum + readFileSync(one).length, 0)
    const build = path === undefined ? 'none' : path.startsWith(folders[0]) ? 'this' : 'before'
    const [middle, least] = [median(times[i]), Math.min(...times[i])].map((time) => time.toFixed(0))
    console.log(`| ${name} | ${build} | ${files.length} | ${Math.ceil(size / 1000)} | ${middle} | ${least} |`)
  }
}
