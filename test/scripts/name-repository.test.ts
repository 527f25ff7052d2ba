import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'

const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
const owners = readFileSync('.github/CODEOWNERS', 'utf8')
const SCRIPT = resolve('scripts/name-repository.mjs')

/** A checkout whose line of configuration says this. */
function checkout(t: Test, repository: string | undefined) {
  const folder = t.testdir({})
  mkdirSync(join(folder, '.github'))
  const { homepage: _, bugs: __, repository: ___, ...bare } = manifest
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ ...bare, config: { repository } }, null, 2)}\n`)
  writeFileSync(join(folder, '.github/CODEOWNERS'), owners)
  const run = (...argv: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...argv], { cwd: folder, encoding: 'utf8' })
    return { status, stdout, stderr }
  }
  const read = (file: string) => readFileSync(join(folder, file), 'utf8')
  return { run, read }
}

t.test('one line names the repository, and the rest follows from it', async (t) => {
  const { run, read } = checkout(t, 'Some-body/moengage-allowlist')
  t.match(run('--check'), { status: 1, stderr: /package\.json does not follow from config\.repository/ })
  t.match(run(), { status: 0, stderr: '' })
  const named = JSON.parse(read('package.json'))
  t.match(named, {
    homepage: 'https://github.com/Some-body/moengage-allowlist#readme',
    bugs: { url: 'https://github.com/Some-body/moengage-allowlist/issues' },
    repository: { type: 'git', url: 'git+https://github.com/Some-body/moengage-allowlist.git' }
  })
  t.strictSame(Object.keys(named).slice(0, 8), [
    'name',
    'version',
    'description',
    'keywords',
    'homepage',
    'bugs',
    'repository',
    'license'
  ])
  t.match(read('.github/CODEOWNERS'), '@Some-body')
  t.notMatch(read('.github/CODEOWNERS'), '@OWNER')
  t.match(run('--check'), { status: 0, stdout: '', stderr: '' }, 'and then the release job is content')
})

t.test('the placeholder, and what is no name, is refused', async (t) => {
  const table: [repository: string | undefined, message: RegExp][] = [
    ['OWNER/moengage-allowlist', /is the placeholder "OWNER\/moengage-allowlist"/],
    [undefined, /is "undefined"\. Write it as "owner\/name"/],
    ['https://github.com/some/where', /Write it as "owner\/name"/]
  ]
  for (const [repository, message] of table) {
    const { run, read } = checkout(t, repository)
    const before = read('package.json')
    for (const argv of [['--check'], []]) t.match(run(...argv), { status: 1, stderr: message }, `${repository} ${argv}`)
    t.equal(read('package.json'), before)
  }
})

t.test('this repository says nothing that does not follow from its line', async (t) => {
  const isPlaceholder = manifest.config.repository.startsWith('OWNER/')
  const { status, stderr } = spawnSync(process.execPath, [SCRIPT, '--check'], { encoding: 'utf8' })
  t.equal(status, isPlaceholder ? 1 : 0, stderr)
  const derived = Object.keys(manifest).filter((key) => ['homepage', 'bugs', 'repository'].includes(key))
  t.equal(derived.length, isPlaceholder ? 0 : 3)
})
