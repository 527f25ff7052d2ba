import { fork } from 'node:child_process'

/**
 * Runs a module of the suite in a process of its own, so that what V8 learned of one scenario does not colour the next,
 * and gives back what it sends.
 */
export function runChild<Result>(module: URL, task: unknown, flags: readonly string[] = []): Promise<Result> {
  const start = performance.now()
  return new Promise((resolve, reject) => {
    const child = fork(module, [JSON.stringify(task)], { execArgv: ['--expose-gc', ...flags] })
    let result: Result | undefined
    child.on('message', (message) => {
      result = message as Result
    })
    child.on('error', reject)
    child.on('exit', (code) => {
      const name = module.pathname.split('/').slice(-2).join('/')
      console.error(`  ${name} ${JSON.stringify(task)}: ${((performance.now() - start) / 1000).toFixed(1)} s`)
      if (code === 0 && result !== undefined) resolve(result)
      else reject(new Error(`${name} ended with ${code}`))
    })
  })
}

/** In a child: does its task and sends the result to the parent. */
export async function answerParent<Task, Result>(work: (task: Task) => Result | Promise<Result>): Promise<void> {
  const result = await work(JSON.parse(process.argv[2]!) as Task)
  process.send!(result, () => process.disconnect())
}
