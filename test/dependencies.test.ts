import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
const env = Object.fromEntries(
  Object.entries(process.env).filter(([variable]) => !/^(?:NODE_OPTIONS|NODE_V8_COVERAGE|npm_)/.test(variable))
)

/** The rows of the table under a heading, as their cells. */
function rows(page: string, heading: string): string[][] {
  const [, section] = readFileSync(page, 'utf8').split(`## ${heading}\n`)
  return [...section!.split('\n## ')[0]!.matchAll(/^\| (`.*) \|$/gm)].map(([, row]) => row!.split(' | '))
}

t.test('every dependency has its reason, licence and size in docs/decisions/0010-dependencies.md', async (t) => {
  const table = rows('docs/decisions/0010-dependencies.md', 'Decision')
  t.strictSame(
    table.map(([dependency]) => dependency),
    Object.keys(dependencies).map((dependency) => `\`${dependency}\``)
  )
  const sizes = execFileSync(process.execPath, ['scripts/package-size.mjs'], { env, encoding: 'utf8' })
  for (const row of table) {
    const [dependency, reason, alternative, maintenance, licence, kilobytes] = row
    const bare = dependency!.slice(1, -1)
    for (const cell of [reason, alternative, maintenance]) t.ok(cell, `${bare} has every cell`)
    const manifest = JSON.parse(readFileSync(join('node_modules', bare, 'package.json'), 'utf8'))
    t.equal(licence, manifest.license, `${bare} is licensed so`)
    const [, printed] = new RegExp(`^ *(\\d+) kB {2}${bare}(?: |$)`, 'm').exec(sizes) ?? []
    const ratio = Number(kilobytes) / Number(printed)
    t.ok(ratio > 0.8 && ratio < 1.25, `${bare} takes about ${kilobytes} kB: ${printed}`)
  }
  t.match(sizes, /^ *\d+ kB {2}moengage-allowlist packed, \d+ files\n *\d+ kB {2}moengage-allowlist unpacked\n/)
  t.match(sizes, /\d+ kB {2}installed, with 25 packages besides\n$/)
})
