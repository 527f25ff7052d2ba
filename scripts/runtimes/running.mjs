import { spawn } from 'node:child_process'

/** How long a program may take to listen. */
const PATIENCE = 60_000

/** Starts a server, and resolves with its ports by name when it has printed `count` of them. */
export function start(command, argv, { cwd, count, env = {}, read = readPorts, signal = 'SIGKILL' }) {
  const child = spawn(command, argv, { cwd, env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env } })
  let output = ''
  const stop = () => child.kill(signal)
  const listening = new Promise((resolve, reject) => {
    const fail = (why) => {
      clearTimeout(timer)
      stop()
      reject(new Error(`${why}:\n${output}`))
    }
    const timer = setTimeout(() => fail('It does not listen'), PATIENCE)
    const look = (text) => {
      output += text
      const ports = read(output)
      if (Object.keys(ports).length < count) return
      clearTimeout(timer)
      resolve(ports)
    }
    child.stdout.setEncoding('utf8').on('data', look)
    child.stderr.setEncoding('utf8').on('data', look)
    child.on('error', (error) => fail(error.message))
    child.on('exit', (code) => fail(`It ended with ${code}`))
  })
  return { listening, stop, output: () => output }
}

function readPorts(output) {
  return Object.fromEntries(
    [...output.matchAll(/^listening (\S+) (\d+)$/gm)].map(([, name, port]) => [name, Number(port)])
  )
}

/** workerd reports its sockets as JSON. */
export function readSockets(output) {
  return Object.fromEntries(
    [...output.matchAll(/"socket":"(\w+)","port":(\d+)/g)].map(([, name, port]) => [name, Number(port)])
  )
}

/** Sends a request and resolves with its status and its JSON. */
export async function ask(port, path, init) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { ...init, signal: AbortSignal.timeout(30_000) })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}
