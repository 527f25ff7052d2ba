import { existsSync, readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { parseAllDocuments } from 'yaml'

interface Step {
  uses?: string
  run?: string
  with?: Record<string, unknown>
}

interface Job {
  permissions?: Record<string, string>
  'timeout-minutes'?: number
  needs?: string
  steps: Step[]
}

interface Workflow {
  permissions?: Record<string, string>
  jobs: Record<string, Job>
}

const FOLDER = '.github/workflows'
const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
const yaml = readdirSync('.github', { recursive: true, encoding: 'utf8' })
  .map((file) => `.github/${file.replaceAll('\\', '/')}`)
  .filter((file) => file.endsWith('.yml'))

/** Reads one document, strictly: a key that is written twice is an error. */
function read(file: string) {
  const [document, ...others] = parseAllDocuments(readFileSync(file, 'utf8'))
  if (others.length > 0 || !('errors' in document!)) throw new Error(`${file} is not one document`)
  const [problem] = [...document.errors, ...document.warnings]
  if (problem !== undefined) throw new Error(`${file}: ${problem.message}`)
  return document.toJS()
}

const workflows = readdirSync(FOLDER).map((name) => [name, read(`${FOLDER}/${name}`) as Workflow] as const)
const actions = yaml.filter((file) => file.startsWith('.github/actions/')).map((file) => [file, read(file)] as const)
const jobs = workflows.flatMap(([name, workflow]) =>
  Object.entries(workflow.jobs).map(([id, job]) => ({ name: `${name} ${id}`, workflow, job }))
)
const steps: (Step & { name: string })[] = [
  ...jobs.flatMap(({ name, job }) => job.steps.map((step) => ({ ...step, name }))),
  ...actions.flatMap(([name, action]) => (action.runs.steps as Step[]).map((step) => ({ ...step, name })))
]
const scripts = steps.flatMap(({ run, name }) => (run === undefined ? [] : [{ run, name }]))

t.test('every file of GitHub can be read', async (t) => {
  t.ok(yaml.length > 10, 'they are found')
  for (const file of yaml) t.doesNotThrow(() => read(file), file)
})

t.test('a workflow calls scripts and files that exist', async (t) => {
  const called = scripts.flatMap(({ run, name }) =>
    [...run.matchAll(/\bnpm (?:run (?:--silent )?|(?=test\b))([\w:-]+)/g)].map(([, script]) => ({ script, name }))
  )
  t.ok(called.length > 8, 'they are found')
  for (const { script, name } of called) t.ok(script! in manifest.scripts, `${name}: npm run ${script}`)
  for (const { run, name } of scripts) {
    for (const [, file] of run.matchAll(/(?:^|[\s(])((?:\.ci|scripts|src|test)\/[\w./-]+)/gm))
      t.ok(existsSync(file!), `${name}: ${file}`)
  }
  for (const { uses, name } of steps) {
    if (uses?.startsWith('./')) t.ok(existsSync(`${uses}/action.yml`), `${name}: ${uses}`)
  }
})

t.test('actions of others are pinned by commit, with the version behind it', async (t) => {
  const lines = [...yaml].flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => /^\s*(?:- )?uses:/.test(line))
      .map((line) => line.trim().replace(/^- /, ''))
  )
  t.ok(lines.length > 10, 'they are found')
  for (const line of lines) t.match(line, /^uses: (?:\.\/|[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$)/)
})

t.test('scripts take values from the environment, never by substitution', async (t) => {
  for (const { run, name } of scripts) t.notMatch(run, '${{', name)
})

t.test('a job has the rights that it needs, and an end', async (t) => {
  for (const { name, workflow, job } of jobs) {
    t.ok((job['timeout-minutes'] ?? 0) > 0, `${name} ends`)
    t.ok(workflow.permissions ?? job.permissions, `${name} names its rights`)
    const { permissions = {} } = job
    const writes = Object.keys(permissions).filter((right) => permissions[right] === 'write')
    const expected: Record<string, string[]> = {
      'release.yml publish': ['contents', 'id-token'],
      'weekly.yml list': ['contents', 'pull-requests'],
      'weekly.yml presets': ['contents', 'pull-requests']
    }
    t.strictSame(writes, expected[name] ?? [], name)
  }
  for (const { name, uses, with: settings } of steps) {
    if (uses?.startsWith('actions/checkout@'))
      t.equal(settings?.['persist-credentials'], false, `${name} keeps no token`)
  }
})

t.test('the job that may publish runs no code but npm and GitHub', async (t) => {
  const { publish, build } = Object.fromEntries(workflows)['release.yml']!.jobs
  t.equal(publish!.needs, 'build')
  for (const { run, uses } of publish!.steps) {
    t.match(
      uses ?? run,
      /^(?:actions\/(?:download-artifact|setup-node)@|npm publish .*--ignore-scripts|gh release create)/
    )
  }
  const commands = build!.steps.flatMap(({ run }) => run ?? [])
  for (const command of ['npm run repository -- --check', 'npm ci --ignore-scripts', 'npm test']) {
    t.ok(commands.includes(command), command)
  }
})

t.test('CI runs on every version of Node that is supported, from the oldest on', async (t) => {
  const { linux, others } = read(`${FOLDER}/ci.yml`).jobs
  const [oldest] = /\d+/.exec(manifest.engines.node)!
  t.strictSame(linux.strategy.matrix.node, [20, 22, 24, 26])
  t.equal(String(linux.strategy.matrix.node[0]), oldest)
  t.equal(readFileSync('.nvmrc', 'utf8').trim(), oldest, 'which is the one to develop with')
  t.strictSame(others.strategy.matrix.os, ['macos-latest', 'windows-latest'])
})

t.test(
  'the weekly job reads the page that the bundled list was taken from, and the workflow for users reads the same',
  async (t) => {
    const { list } = read(`${FOLDER}/weekly.yml`).jobs
    const { DOCUMENTATION, PAGE, RAW, LIST } = list.env
    const { provenance } = JSON.parse(readFileSync(LIST, 'utf8'))
    t.ok(provenance.page.includes(`${DOCUMENTATION}/blob/`) && provenance.page.endsWith(PAGE), provenance.page)
    const { env } = read('examples/github-actions/update-allowlist.yml')
    t.match(env, { DOCUMENTATION, PAGE, RAW })
  }
)
