import { mkdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, version } from 'esbuild'
import { tool } from './install.mjs'
import { checkServer, copyPrograms } from './servers.mjs'

/** Loads a package from a folder of packages. */
async function load(modules, name) {
  const path = createRequire(join(modules, 'x.js')).resolve(name)
  const loaded = await import(pathToFileURL(path).href)
  return loaded.default ?? loaded
}

/** Makes one file with esbuild. */
function bundlerOf(format, file) {
  return async (entry, out) => {
    await build({ entryPoints: [entry], outfile: join(out, file), bundle: true, platform: 'node', format })
    return { version, file }
  }
}

/** How each bundler makes one file of a server, and which version did. */
const BUNDLERS = {
  'esbuild to ESM': bundlerOf('esm', 'server.mjs'),
  'esbuild to CommonJS': bundlerOf('cjs', 'server.cjs'),
  async webpack(entry, out) {
    const { modules, version } = tool('webpack')
    const webpack = await load(modules, 'webpack')
    const stats = await new Promise((resolve, reject) => {
      const options = { entry, target: 'node20', mode: 'production', output: { path: out, filename: 'server.cjs' } }
      webpack(options, (error, stats) => (error ? reject(error) : resolve(stats)))
    })
    if (stats.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }))
    return { version, file: 'server.cjs' }
  },
  async rollup(entry, out) {
    const { modules, version } = tool('rollup')
    const { rollup } = await import(pathToFileURL(join(modules, 'rollup/dist/es/rollup.js')).href)
    const plugin = async (name, options) => (await load(modules, `@rollup/plugin-${name}`))(options)
    const plugins = [
      await plugin('node-resolve', { preferBuiltins: true, exportConditions: ['node'] }),
      await plugin('commonjs'),
      await plugin('json')
    ]
    const made = await rollup({ input: entry, plugins, logLevel: 'silent' })
    await made.write({ dir: out, format: 'es', entryFileNames: 'server.mjs', chunkFileNames: '[name].mjs' })
    await made.close()
    return { version, file: 'server.mjs' }
  },
  async vite(entry, out) {
    const { modules, version } = tool('vite')
    const vite = await import(pathToFileURL(join(modules, 'vite/dist/node/index.js')).href)
    await vite.build({
      configFile: false,
      logLevel: 'error',
      build: {
        ssr: entry,
        outDir: out,
        emptyOutDir: true,
        rollupOptions: { output: { entryFileNames: 'server.mjs' } }
      },
      ssr: { noExternal: true }
    })
    return { version, file: 'server.mjs' }
  }
}

export async function checkBundles(check) {
  for (const [name, run] of Object.entries(BUNDLERS)) {
    await check(`a bundle of ${name}`, async (folder) => {
      copyPrograms(folder)
      // Where no package is near, so that the bundle has to hold all that it needs.
      const out = `${folder}-bundle`
      rmSync(out, { recursive: true, force: true })
      mkdirSync(out)
      try {
        const { version, file } = await run(join(folder, 'server.mjs'), out)
        const checked = await checkServer(process.execPath, [join(out, file)], { cwd: out, count: 1 })
        return `${version}: ${checked}`
      } finally {
        rmSync(out, { recursive: true, force: true })
      }
    })
  }
}
