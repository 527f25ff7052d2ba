import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tool } from './install.mjs'
import { copyPrograms } from './servers.mjs'

const OPTIONS = {
  target: 'es2023',
  lib: ['es2023'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  isolatedDeclarations: true,
  declaration: true,
  noEmit: true,
  // The declarations of others are theirs to check: those of Node 20 do not fit every compiler.
  skipLibCheck: true
}

const RESOLUTIONS = {
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
  node10: { module: 'commonjs', moduleResolution: 'node10', esModuleInterop: true }
}

/** What each compiler has: node10 is deprecated in 6, and gone in 7. */
const COMPILERS = {
  'TypeScript 5.9': { nodenext: {}, bundler: {}, node10: {} },
  'TypeScript 6': { nodenext: {}, bundler: {}, node10: { ignoreDeprecations: '6.0' } },
  'TypeScript 7': { nodenext: {}, bundler: {} }
}

export async function checkTypes(check) {
  for (const [name, resolutions] of Object.entries(COMPILERS)) {
    await check(name, async (folder) => {
      const { modules, version } = tool(name)
      copyPrograms(folder)
      for (const [resolution, further] of Object.entries(resolutions)) {
        const compilerOptions = { ...OPTIONS, ...RESOLUTIONS[resolution], ...further }
        writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['types.ts'] }))
        try {
          execFileSync(process.execPath, [join(modules, 'typescript/bin/tsc'), '-p', folder], {
            encoding: 'utf8',
            timeout: 120_000
          })
        } catch (error) {
          throw new Error(`${resolution}: ${error.stdout || error.message}`)
        }
      }
      return `${version}: ${Object.keys(resolutions).join(', ')}`
    })
  }
}
