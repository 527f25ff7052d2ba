// Puts the doors and the command line of package.json, each as few files, in the place of what tsc compiled file by file: a door
// of eighty modules takes twice as long to load. Expects the declarations of a build; the rest is compiled from src.
import { readFileSync, rmSync } from 'node:fs'
import { build } from 'esbuild'

const { exports, bin, imports } = JSON.parse(readFileSync('package.json', 'utf8'))
const ours = (file) => typeof file === 'string' && file.startsWith('./dist/src/')
const sourcesOf = (files) =>
  files.filter(ours).map((file) => file.replace('./dist/src/', 'src/').replace(/\.js$/, '.ts'))

/** Programs share nothing with the doors: code that several files share makes a chunk, and each chunk takes its time to load. */
const GROUPS = [
  Object.values(exports).map((door) => door.default),
  Object.values(bin),
  Object.values(imports).flatMap((target) => (typeof target === 'string' ? target : Object.values(target)))
]

rmSync('dist/src/chunks', { recursive: true, force: true })
for (const group of GROUPS) {
  await build({
    entryPoints: [...new Set(sourcesOf(group))],
    outbase: 'src',
    outdir: 'dist/src',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    // Neither Node nor a browser: what differs between runtimes is found while running.
    platform: 'neutral',
    target: 'es2023',
    packages: 'external',
    external: ['node:*', ...Object.keys(imports)],
    logLevel: 'warning'
  })
}
