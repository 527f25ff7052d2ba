import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { CHANNELS, createGuard } from '../src/core.js'
import { send, until } from './support/http.js'

const pages = ['README.md', 'SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...markdown('docs')]
const readme = read('README.md')

function read(file: string): string {
  return readFileSync(file, 'utf8')
}

function markdown(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join(folder, file))
}

/** The fenced blocks of a language. */
function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, code]) => code!)
}

t.test('every error code has its section, and every section its code', async (t) => {
  const [, union] = /export type ProblemCode =([\s\S]*?)\n\n/.exec(read('src/problem.ts'))!
  const codes = [...union!.matchAll(/'(MOE_\w+)'/g)].map(([, code]) => code)
  const sections = [...read('docs/errors.md').matchAll(/^### (\w+)$/gm)].map(([, heading]) => heading)
  t.strictSame(sections.sort(), codes.sort())
})

t.test('links inside the repository lead somewhere', async (t) => {
  for (const page of pages) {
    for (const [, target] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(https?:|#|mailto:)/.test(target!)) continue
      t.ok(existsSync(join(dirname(page), target!.split('#')[0]!)), `${page}: ${target}`)
    }
  }
})

t.test("the README's table has every option and every reason", async (t) => {
  const source = read('src/guard/options.ts') + read('src/server/fastify.ts')
  const [, guardOptions] = /GUARD_OPTIONS = \[(.*?)\]/s.exec(source)!
  const [, actionOptions] = /names: \[(.*?)\]/s.exec(source)!
  const options = [...`${guardOptions},${actionOptions}`.matchAll(/'(\w+)'/g)].map(([, name]) => name!)
  for (const option of options) t.match(readme, new RegExp(`^\\| .*\`${option}\``, 'm'), option)
  for (const channel of CHANNELS) t.ok(readme.includes(`\`${channel}\``), channel)
  const [, reasons] = /export type Reason =([\s\S]*?)\n\n/.exec(read('src/verdict/verdict.ts'))!
  for (const [, reason] of reasons!.matchAll(/'([\w-]+)'/g))
    t.match(readme, new RegExp(`^\\| \`${reason}\` `, 'm'), `${reason}`)
})

t.test("the README's first example guards its route", async (t) => {
  const [example] = blocks(readme, 'ts')
  const code = example!.replace('port: 3000', 'port: 0').replace('logger: true', 'logger: { level: "info" }')
  const child = run(t, code)
  let output = ''
  const port = await new Promise<number>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      const [, found] = /127\.0\.0\.1:(\d+)/.exec(output) ?? []
      if (found) resolve(Number(found))
    })
  })
  const post = (clientIp: string) =>
    send({ port }, { method: 'POST', path: '/moengage/connector', headers: { 'x-forwarded-for': clientIp } })
  t.match(await post('52.6.248.125'), { status: 200, body: '{"ok":true}' })
  const { status, body } = await post('3.6.251.95')
  t.equal(status, 403)
  t.strictSame(JSON.parse(body), JSON.parse(blocks(readme, 'json')[0]!), 'the answer is the one in the README')
  // All but listedFor and policy, which the README leaves out.
  const logged = () => output.split('\n').find((text) => text.includes('moengage.rejected'))
  await until(() => logged() !== undefined)
  t.match(JSON.parse(logged()!), JSON.parse(blocks(readme, 'json')[1]!))
})

t.test("the README's example without Fastify runs", async (t) => {
  const child = run(t, blocks(readme, 'ts')[2]!)
  const output = await new Promise<string>((resolve) => {
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    child.on('close', () => resolve(text))
  })
  t.match(output, /^true 3\.6\.251\.95 is rejected \(other-data-center\)/)
})

t.test('the options of every recipe are right', async (t) => {
  for (const page of markdown('docs/recipes')) {
    const found = blocks(read(page), 'ts')
    t.ok(found.length > 0 || page.endsWith('README.md'), page)
    for (const block of found) {
      const [, options] = /moengageAllowlist, (\{[\s\S]*?\n\})\)/.exec(block) ?? []
      t.ok(options, `${page}: ${block}`)
      const evaluate = new Function('frontDoorPrefixes', `return (${options})`)
      t.doesNotThrow(() => createGuard(evaluate(['147.243.0.0/16'])), `${page}: ${options}`)
    }
  }
})

/** Runs JavaScript from a file inside this package, where it finds the package by its name. */
function run(t: Test, code: string) {
  const file = join(t.testdir({ 'example.mjs': code }), 'example.mjs')
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill())
  return child
}
