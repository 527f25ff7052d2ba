import { spawn } from 'node:child_process'
import type { Test } from 'tap'
import { freePort, type LogLine } from './http.js'

/** Starts an example as `npm start` does, on a free port. Resolves when it listens. */
export async function start(t: Test, example: string, env: Record<string, string> = {}) {
  const port = await freePort()
  const child = spawn(process.execPath, [`dist/examples/${example}.js`], {
    env: { ...process.env, PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  t.teardown(() => child.kill())
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', () => output.includes('Server listening') && resolve())
    child.on('exit', (code) => reject(new Error(`${example} ended with ${code}: ${output}`)))
  })
  const rejections = () =>
    output
      .split('\n')
      .filter((line) => line.includes('"event":"moengage.rejected"'))
      .map((line) => JSON.parse(line) as LogLine)
  return { port, output: () => output, rejections, child }
}
