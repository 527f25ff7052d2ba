// Prints what an installation of this package takes: the package itself, and each dependency with all that it brings along.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const manifest = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

/** The folder of a package, as Node finds it from another. */
function folderOf(name, from) {
  const places = createRequire(join(from, 'package.json')).resolve.paths(name)
  const found = places.map((place) => join(place, name)).find((folder) => statSync(folder, { throwIfNoEntry: false }))
  if (found === undefined) throw new Error(`${name} is not installed. Run npm ci.`)
  return found
}

/** The folders of a package and of all that it depends on. */
function closure(name, from, found = new Set()) {
  const folder = folderOf(name, from)
  if (found.has(folder)) return found
  found.add(folder)
  for (const dependency of Object.keys(manifest(folder).dependencies ?? {})) closure(dependency, folder, found)
  return found
}

/** The bytes of a package's files, without packages inside of it, which count for themselves. */
function bytesOf(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules')
    .map((entry) => join(folder, entry.name))
    .reduce((sum, path) => sum + (statSync(path).isDirectory() ? bytesOf(path) : statSync(path).size), 0)
}

const kilobytes = (bytes) => `${Math.ceil(bytes / 1000)} kB`.padStart(9)
const sum = (folders) => [...folders].reduce((total, folder) => total + bytesOf(folder), 0)

const [packed] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore']
  })
)
console.log(`${kilobytes(packed.size)}  ${packed.name} packed, ${packed.entryCount} files`)
console.log(`${kilobytes(packed.unpackedSize)}  ${packed.name} unpacked\n`)

const root = dirname(import.meta.dirname)
const all = new Set()
for (const name of Object.keys(manifest(root).dependencies)) {
  const folders = closure(name, root)
  for (const folder of folders) all.add(folder)
  const own = bytesOf(folderOf(name, root))
  const others = folders.size - 1
  console.log(
    `${kilobytes(sum(folders))}  ${name}${others === 0 ? '' : ` (itself ${kilobytes(own).trim()}, and ${others} more)`}`
  )
}
console.log(`\n${kilobytes(packed.unpackedSize + sum(all))}  installed, with ${all.size} packages besides`)
