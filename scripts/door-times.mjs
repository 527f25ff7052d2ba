// Prints what loading each door takes: files, kilobytes and packages, and the processor time in milliseconds, of new processes in
// turns. Give the folder of another build to compare with it: node scripts/door-times.mjs ../base
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const ROUNDS = 41
const folders = ['.', ...process.argv.slice(2)].map((folder) => resolve(folder))
const doors = Object.entries(JSON.parse(readFileSync('package.json', 'utf8')).exports)
  .filter(([door]) => door !== './package.json')
  .map(([door, { default: file }]) => ({ door, file }))

/** Loads a file in a new process, and reports the processor time in milliseconds. */
function load(file) {
  const program = `const before = process.cpuUsage(); await import(${JSON.stringify(`file://${file}`)})
    const { user, system } = process.cpuUsage(before); console.log((user + system) / 1000)`
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }))
}

/** The files of ours that a file loads, itself included. */
function filesOf(file, found = new Set()) {
  if (found.has(file)) return found
  found.add(file)
  const imports = readFileSync(file, 'utf8').matchAll(/^(?:import|export)\b[^'"]*?(?:from )?['"](\.[^'"]+)['"]/gm)
  for (const [, path] of imports) filesOf(resolve(file, '..', path), found)
  return found
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]

console.log('| door | build | files | kB | ms, median | ms, least |\n| --- | --- | ---: | ---: | ---: | ---: |')
for (const { door, file } of doors) {
  const builds = folders.map((folder) => join(folder, file)).filter((path) => existsSync(path))
  const times = builds.map(() => [])
  for (let round = 0; round < ROUNDS; round++) builds.forEach((path, i) => void times[i].push(load(path)))
  for (const [i, path] of builds.entries()) {
    const files = [...filesOf(path)]
    const size = files.reduce((sum, one) => sum + readFileSync(one).length, 0)
    const build = path.startsWith(folders[0]) ? 'this' : 'before'
    const [middle, least] = [median(times[i]), Math.min(...times[i])].map((time) => time.toFixed(0))
    console.log(`| \`${door}\` | ${build} | ${files.length} | ${Math.ceil(size / 1000)} | ${middle} | ${least} |`)
  }
}
