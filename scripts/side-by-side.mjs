// Runs scripts of package.json side by side, as many as there are processors, and prints the output only of those that fail:
//   node scripts/side-by-side.mjs lint types
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { stripVTControlCharacters } from 'node:util'

const waiting = process.argv.slice(2)
let failed = 0

function run(script) {
  const start = performance.now()
  // Through a shell, as npm is a script on Windows. The names come from package.json.
  const child = spawn(`npm run --silent ${script}`, { shell: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text
    })
  }
  return new Promise((resolve) => {
    child.on('close', (code) => {
      const seconds = ((performance.now() - start) / 1000).toFixed(1)
      console.log(`${code === 0 ? 'ok    ' : 'failed'} ${script} (${seconds} s)`)
      if (code !== 0) {
        failed++
        // Some programs write colours whether or not anybody sees them.
        const text = process.stdout.isTTY ? output : stripVTControlCharacters(output)
        console.log(`\n${text.trimEnd()}\n`)
      }
      resolve()
    })
  })
}

async function worker() {
  for (let script = waiting.shift(); script !== undefined; script = waiting.shift()) await run(script)
}

await Promise.all(Array.from({ length: availableParallelism() }, worker))
process.exitCode = failed === 0 ? 0 : 1
