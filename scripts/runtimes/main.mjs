// npm run test:runtimes [-- WORD]: the same requests on every runtime, in every bundle, and the types in every compiler, on the package
// as npm would publish it. What the registry does not have is skipped with one line, unless RUNTIMES=required. Expects a build.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkBundles } from './bundles.mjs'
import { CACHE, project } from './install.mjs'
import { checkPages } from './pages.mjs'
import { checkNodes, checkOthers } from './servers.mjs'
import { checkTypes } from './types.mjs'
import { checkWorkers } from './workers.mjs'

const [wanted = ''] = process.argv.slice(2)
const folder = project(mkdtempSync(join(tmpdir(), 'moengage-runtimes-')))
let failures = 0

/** Runs one part, and prints a line about it. */
async function check(name, run) {
  if (!name.toLowerCase().includes(wanted.toLowerCase())) return
  const start = performance.now()
  try {
    const what = await run(folder)
    console.log(`ok      ${name}: ${what} (${((performance.now() - start) / 1000).toFixed(1)} s)`)
  } catch (error) {
    const isMissing = error.isMissing === true && process.env.RUNTIMES !== 'required'
    if (isMissing) console.log(`skipped ${name}: ${error.message}`)
    else {
      failures++
      console.log(`failed  ${name}: ${error.stack}`)
    }
  }
}

console.log(`runtimes are kept in ${CACHE}`)
try {
  for (const part of [checkNodes, checkOthers, checkWorkers, checkPages, checkBundles, checkTypes]) await part(check)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exitCode = failures === 0 ? 0 : 1
