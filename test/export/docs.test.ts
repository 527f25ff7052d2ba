import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { directory, EXPORT_FORMATS, exportDirectory } from '../../src/core.js'
import { blocksOf } from '../support/blocks.js'
import { run } from '../support/cli.js'

const PAGE = 'docs/export.md'
const blocks = blocksOf(PAGE)

/** The formats that have a section, with the line of its heading. */
const sections = readFileSync(PAGE, 'utf8')
  .split('\n')
  .flatMap((text, i) => {
    const [, format] = /^### `(.+)`$/.exec(text) ?? []
    return format === undefined ? [] : [{ format, line: i + 1 }]
  })

/** Whether a text is the lines of an excerpt, in which a lone `…` stands for any lines. */
function isExcerpt(excerpt: string, text: string): boolean {
  const parts = excerpt
    .trimEnd()
    .split('\n')
    .map((line) => (line === '…' ? '(?:.*\n)+?' : `${escaped(line)}\n`))
  return new RegExp(`^${parts.join('')}$`).test(text)
}

const escaped = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')

t.test('every format has its section, and no other has one', async (t) => {
  t.strictSame(
    sections.map(({ format }) => format),
    EXPORT_FORMATS
  )
})

t.test('the output in each section is what its command writes', async (t) => {
  for (const [i, { format, line }] of sections.entries()) {
    const end = sections[i + 1]?.line ?? Number.POSITIVE_INFINITY
    const [command, excerpt] = blocks.filter((block) => block.line > line && block.line < end)
    t.equal(command!.language, 'sh', format)
    const argv = command!.code
      .trimEnd()
      .replace(/ -o \S+/, '')
      .split(' ')
    t.strictSame(argv.slice(0, 4), ['npx', 'moengage-allowlist', 'export', format])
    const { code, stdout, stderr } = await run(argv.slice(2))
    t.equal(code, 0, stderr)
    t.ok(isExcerpt(excerpt!.code, stdout), `${format}:\n${stdout}`)
    const other = stdout.replace(/3\.6\.246\.251|52\.1\.205\.204|3\.77\.101\.97/g, '9.9.9.9')
    t.notOk(isExcerpt(excerpt!.code, other), 'and no other')
  }
})

t.test('the lines of code run', async (t) => {
  const { code } = blocks.find(({ language }) => language === 'ts')!
  const file = join(t.testdir({ 'example.mjs': `${code}\nprocess.stdout.write(text)` }), 'example.mjs')
  const options = { format: 'nginx', dataCenters: 'DC-03', channels: 'catalog', allow: ['10.0.0.0/8'] } as const
  const expected = exportDirectory(directory, options)
  t.equal(execFileSync(process.execPath, [file], { encoding: 'utf8' }), expected)
})
