// Runs test files again after every change in src or test; without a name, those that the change concerns:
//   npm run test:watch -- test/ip/address.test.ts
import { spawn } from 'node:child_process'
import { watch } from 'node:fs'

const files = process.argv.slice(2)
const argv = ['tap', '--disable-coverage', '--allow-empty-coverage', ...(files.length > 0 ? files : ['--changed'])]

/** An editor saves in several steps; they count as one change. */
const SETTLE = 100

let isRunning = false
let isWanted = false
let timer

function run() {
  if (isRunning) {
    isWanted = true
    return
  }
  isRunning = true
  isWanted = false
  spawn(`npx ${argv.join(' ')}`, { shell: true, stdio: 'inherit' }).on('close', () => {
    isRunning = false
    if (isWanted) run()
  })
}

for (const folder of ['src', 'test']) {
  watch(folder, { recursive: true }, (_event, file) => {
    // The folders that tests make for themselves.
    if (file?.includes('.tap')) return
    clearTimeout(timer)
    timer = setTimeout(run, SETTLE)
  })
}
run()
