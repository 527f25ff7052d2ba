import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import t from 'tap'
import { main } from '../../src/cli/main.js'
import { directory, EXPORT_FORMATS, exportDirectory } from '../../src/core.js'

const page = readFileSync('docs/export.md', 'utf8')

async function run(argv: readonly string[]): Promise<string> {
  const stdout = new PassThrough().setEncoding('utf8')
  const stderr = new PassThrough().setEncoding('utf8')
  const io = { stdin: Readable.from([]), stdout, stderr, env: {}, fetch, now: () => new Date() }
  if ((await main(argv, io)) !== 0) throw new Error(String(stderr.read()))
  return String(stdout.read())
}

/** Whether a text is the lines of an excerpt, in which a lone `…` stands for any lines. */
function isExcerpt(excerpt: string, text: string): boolean {
  const parts = excerpt.split('\n').map((line) => (line === '…' ? '(?:.*\n)+?' : `${escaped(line)}\n`))
  return new RegExp(`^${parts.join('')}$`).test(text)
}

const escaped = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')

t.test('every format has its section, and no other has one', async (t) => {
  const headings = [...page.matchAll(/^### `(.+)`$/gm)].map(([, heading]) => heading)
  t.strictSame(headings, EXPORT_FORMATS)
})

t.test('the output in each section is what its command writes', async (t) => {
  for (const section of page.split(/^### /m).slice(1)) {
    const [, format, line, excerpt] =
      /^`(.+)`\n\n```sh\nnpx moengage-allowlist (.+)\n```\n\n```\w+\n([\s\S]*?)\n```\n/.exec(section) ?? []
    t.ok(line?.startsWith(`export ${format} `), section.slice(0, 60))
    const text = await run(line!.replace(/ -o \S+/, '').split(' '))
    t.ok(isExcerpt(excerpt!, text), `${format}:\n${text}`)
    t.notOk(
      isExcerpt(excerpt!, text.replace(/3\.6\.246\.251|52\.1\.205\.204|3\.77\.101\.97/g, '9.9.9.9')),
      'and no other'
    )
  }
})

t.test('the lines of code run', async (t) => {
  const [, code] = /```ts\n([\s\S]*?)```/.exec(page)!
  const file = join(t.testdir({ 'example.mjs': `${code}\nprocess.stdout.write(text)` }), 'example.mjs')
  const expected = exportDirectory(directory, { format: 'nginx', dataCenters: 'DC-03', channels: 'catalog' })
  t.equal(execFileSync(process.execPath, [file], { encoding: 'utf8' }), expected)
})
