import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import t from 'tap'
import { parseAllDocuments } from 'yaml'

interface Step {
  name?: string
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
const steps = [
  ...jobs.flatMap(({ name, job }) => job.steps.map(({ uses, run, with: settings }) => ({ uses, run, settings, name }))),
  ...actions.flatMap(([name, action]) =>
    (action.runs.steps as Step[]).map(({ uses, run, with: settings }) => ({ uses, run, settings, name }))
  )
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
  for (const { name, uses, settings } of steps) {
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

t.test('the weekly jobs tell a difference from an error', async (t) => {
  const { jobs } = Object.fromEntries(workflows)['weekly.yml']!
  // What a program ends with, what it prints, whether it changes its file, and what the step makes of it.
  const table: [job: string, code: number, text: string, writes: boolean, status: number, output: RegExp][] = [
    ['list', 0, 'No address changed', false, 0, /^title=MoEngage's list was checked\nchanged=false\n$/],
    ['list', 0, 'No address changed', true, 0, /^title=MoEngage's list was checked\nchanged=true\n$/],
    ['list', 1, '### Added', true, 0, /^title=Update MoEngage's list\nchanged=true\n$/],
    ['list', 1, '', true, 1, /^$/],
    ['list', 2, '', false, 2, /^$/],
    ['presets', 0, '', false, 0, /^different=false\n$/],
    ['presets', 1, '### fastly', true, 0, /^different=true\n$/],
    ['presets', 1, '', false, 1, /^$/],
    ['presets', 2, '', false, 2, /^$/]
  ]
  for (const [job, code, text, writes, status, output] of table) {
    const folder = t.testdir({ bin: {}, temp: { output: '', summary: '' }, list: 'before' })
    const program = `#!/bin/sh\nprintf '%s' '${text}'\nexit ${code}\n`
    for (const name of ['node', 'npm']) writeFileSync(join(folder, 'bin', name), program, { mode: 0o755 })
    const git = (...argv: string[]) =>
      execFileSync('git', ['-c', 'user.name=me', '-c', 'user.email=me@example.com', ...argv], { cwd: folder })
    git('init', '--quiet')
    git('add', 'list')
    git('commit', '--quiet', '--message', 'A list')
    if (writes) writeFileSync(join(folder, 'list'), 'after')
    mkdirSync(join(folder, 'home'))
    const step = jobs[job]!.steps.find(({ name }) => name?.startsWith('Compare'))!
    const result = spawnSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.run!], {
      cwd: folder,
      encoding: 'utf8',
      env: {
        PATH: [join(folder, 'bin'), process.env.PATH].join(delimiter),
        HOME: join(folder, 'home'),
        LIST: 'list',
        RUNNER_TEMP: join(folder, 'temp'),
        GITHUB_OUTPUT: join(folder, 'temp/output'),
        GITHUB_STEP_SUMMARY: join(folder, 'temp/summary')
      }
    })
    const shown = `${job}: ${code} ${text} ${writes}`
    t.equal(result.status, status, `${shown}\n${result.stderr}`)
    t.match(readFileSync(join(folder, 'temp/output'), 'utf8'), output, shown)
    t.equal(readFileSync(join(folder, 'temp/summary'), 'utf8'), text, shown)
  }
})
