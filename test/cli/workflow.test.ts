import { execFile, execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'

interface Step {
  name?: string
  id?: string
  if?: string
  uses?: string
  run?: string
  env?: Record<string, string>
}

const source = readFileSync('examples/github-actions/update-allowlist.yml', 'utf8')
const workflow = parse(source)
const steps: Step[] = workflow.jobs.update.steps
const { PAGE, DOCUMENTATION, BRANCH, LIST } = workflow.env

t.test('the workflow has what GitHub asks for, and no more rights than it needs', async (t) => {
  t.strictSame(Object.keys(workflow), ['name', 'on', 'permissions', 'concurrency', 'env', 'defaults', 'jobs'])
  t.match(workflow.on.schedule[0].cron, /^\d+ \d+ \* \* 1$/)
  t.strictSame(workflow.permissions, { contents: 'write', 'pull-requests': 'write' })
  t.equal(workflow.defaults.run.shell, 'bash')
  for (const { uses, run, ...step } of steps) {
    t.notMatch(run, '${{', 'scripts take values from the environment, never by substitution')
    t.match(uses ?? 'actions/none@v1', /^actions\/[a-z-]+@v\d+$/)
    t.strictSame(
      Object.keys(step).filter((key) => !['name', 'id', 'if', 'env', 'with'].includes(key)),
      []
    )
  }
  const { provenance } = JSON.parse(readFileSync('src/directory/moengage.json', 'utf8'))
  t.ok(
    provenance.page.includes(`${DOCUMENTATION}/blob/`) && provenance.page.endsWith(PAGE),
    'the page is the one we know'
  )
})

/** Whether a step runs, by the outputs of the steps before as lines `name=value`. */
function isMet(condition: string, outputs: readonly string[]): boolean {
  return condition.split(' || ').some((part) => {
    const [, name, value] = /^steps\.\w+\.outputs\.(\w+) == '(\w+)'$/.exec(part)!
    return outputs.includes(`${name}=${value}`)
  })
}

/** A page with these addresses of DC-01 for SMS. */
const page = (...addresses: string[]) =>
  `| Channels | Data Center | IPs |\n| --- | --- | --- |\n| SMS Campaigns | DC-01 | ${addresses.join('<br />')} |\n`

/** Stands in for GitHub's command line: one repository with one page, and pull requests. */
const GH = `#!/bin/sh
echo "$*" >> "$STATE/calls"
test -n "$GH_TOKEN" || exit 4
while [ $# -gt 0 ]; do
  case "$words" in
    *--body-file) cp "$1" "$STATE/body" ;;
  esac
  words="$words $1"
  shift
done
case "$words" in
  " api "*) cat "$STATE/revision" ;;
  " pr list "*) cat "$STATE/open" ;;
  " pr create "*) echo 7 > "$STATE/open" ;;
  " pr edit 7 "*) ;;
  *) exit 1 ;;
esac
`

t.test('the steps of the workflow, run for real', async (t) => {
  const folder = t.testdir({ bin: {}, home: {}, state: { open: '', calls: '' } })
  const state = (name: string) => readFileSync(join(folder, 'state', name), 'utf8')
  writeFileSync(join(folder, 'bin/gh'), GH, { mode: 0o755 })
  const pages = new Map<string, string>()
  const server = createServer(({ url }, response) => {
    const text = pages.get(url!)
    response.writeHead(text === undefined ? 404 : 200).end(text)
  })
  t.teardown(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  const env: Record<string, string> = {
    PATH: [join(folder, 'bin'), process.env.PATH].join(delimiter),
    HOME: join(folder, 'home'),
    GIT_CONFIG_NOSYSTEM: '1',
    npm_config_update_notifier: 'false',
    STATE: join(folder, 'state'),
    GITHUB_REF_NAME: 'main',
    ...workflow.env,
    RAW: `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  const origin = join(folder, 'origin.git')
  const git = (...argv: string[]) => execFileSync('git', argv, { cwd: folder, env, encoding: 'utf8', stdio: 'pipe' })
  const inOrigin = (...argv: string[]) => git('--git-dir', origin, ...argv)

  /** Sets what MoEngage's repository has. */
  const publish = (revision: string, text?: string) => {
    writeFileSync(join(folder, 'state/revision'), revision)
    if (text !== undefined) pages.set(`/${DOCUMENTATION}/${revision}/${PAGE}`, text)
  }

  /** Sets the list on the main branch. */
  const commit = (list: string) => {
    const work = join(folder, `commit-${Math.random()}`)
    git('clone', '--quiet', origin, work)
    writeFileSync(join(work, LIST), list)
    writeFileSync(join(work, '.gitignore'), 'node_modules\n')
    writeFileSync(join(work, 'package.json'), '{ "private": true }')
    git('-C', work, 'add', '.')
    git('-C', work, '-c', 'user.name=me', '-c', 'user.email=me@example.com', 'commit', '--quiet', '-m', 'A list')
    git('-C', work, 'push', '--quiet', 'origin', 'HEAD:main')
  }

  const program = `"${process.execPath}" "${join(process.cwd(), 'dist/src/cli/bin.js')}" "$@"`
  let weeks = 0
  /** Runs the job in a fresh checkout, as a runner does. */
  async function week(body = `exec ${program}`) {
    const work = join(folder, `work-${++weeks}`)
    const temp = join(folder, `temp-${weeks}`)
    git('clone', '--quiet', '--branch', 'main', origin, work)
    mkdirSync(join(work, 'node_modules/.bin'), { recursive: true })
    mkdirSync(temp)
    writeFileSync(join(work, 'node_modules/.bin/moengage-allowlist'), `#!/bin/sh\n${body}\n`, { mode: 0o755 })
    writeFileSync(join(folder, 'state/calls'), '')
    const files = { GITHUB_OUTPUT: join(temp, 'output'), GITHUB_STEP_SUMMARY: join(temp, 'summary') }
    let log = ''
    for (const { run, name, if: condition, env: own = {} } of steps) {
      // What needs GitHub's runner or the registry.
      if (run === undefined || run === 'npm ci') continue
      const outputs = existsSync(files.GITHUB_OUTPUT) ? readFileSync(files.GITHUB_OUTPUT, 'utf8').split('\n') : []
      if (condition !== undefined && !isMet(condition, outputs)) continue
      const script = join(temp, 'script.sh')
      writeFileSync(script, run)
      const given = Object.entries(own).map(([key, value]) => [
        key,
        value.replace(/^\$\{\{ github\.token \}\}$/, 'a token')
      ])
      const options = { cwd: work, env: { ...env, ...Object.fromEntries(given), ...files, RUNNER_TEMP: temp } }
      const code = await new Promise<number>((resolve) => {
        // As `shell: bash` does.
        execFile('bash', ['--noprofile', '--norc', '-eo', 'pipefail', script], options, (error, stdout, stderr) => {
          log += stdout + stderr
          resolve(error === null ? 0 : Number(error.code))
        })
      })
      if (code !== 0) return { failed: name, code, log, calls: state('calls') }
    }
    return {
      failed: undefined,
      code: 0,
      log,
      calls: state('calls'),
      summary: readFileSync(files.GITHUB_STEP_SUMMARY, 'utf8')
    }
  }

  git('init', '--quiet', '--bare', '--initial-branch=main', origin)
  publish('a'.repeat(40), page('192.0.2.1'))
  const first = await (async () => {
    const out = join(folder, 'first.json')
    const url = `${env.RAW}/${DOCUMENTATION}/${'a'.repeat(40)}/${PAGE}`
    const argv = ['dist/src/cli/bin.js', 'import', url, '--revision', 'a'.repeat(40), '--output', out]
    await new Promise((resolve) => execFile(process.execPath, argv, resolve))
    return readFileSync(out, 'utf8')
  })()
  const old = first.replace(/"retrieved": "[^"]*"/, '"retrieved": "2026-01-31"')
  const today = new Date().toISOString().slice(0, 10)
  const listOn = (branch: string) => JSON.parse(inOrigin('show', `${branch}:${LIST}`))
  commit(old)

  t.test('while the page has the same list, in any revision, the day of the check is committed', async (t) => {
    publish('b'.repeat(40), `A typo less.\n\n${page('192.0.2.1')}`)
    const { code, calls, summary, log } = await week()
    t.equal(code, 0, log)
    t.match(summary, /^No address changed from revision `aaaaaaaaaaaa` \(2026-01-31\) to .* \(2026-01-31, checked 2/)
    t.equal(calls, `api repos/${DOCUMENTATION}/commits?path=${PAGE}&per_page=1 --jq .[0].sha\n`)
    t.equal(inOrigin('branch', '--format=%(refname:short)').trim(), 'main')
    const { checked, ...provenance } = listOn('main').provenance
    t.match(provenance, { revision: 'a'.repeat(40), retrieved: '2026-01-31' })
    t.ok(checked >= today)
    t.equal(
      inOrigin('log', '-1', '--format=%an: %s', 'main').trim(),
      "github-actions[bot]: MoEngage's allowlist was checked"
    )
    const head = inOrigin('rev-parse', 'main')
    t.equal((await week()).code, 0, 'a second run on the same day')
    t.equal(inOrigin('rev-parse', 'main'), head, 'commits nothing')
  })

  t.test('where the branch is protected, by pull request', async (t) => {
    commit(old)
    const head = inOrigin('rev-parse', 'main')
    const hook = join(origin, 'hooks/update')
    writeFileSync(hook, '#!/bin/sh\ntest "$1" != refs/heads/main\n')
    chmodSync(hook, 0o755)
    const { code, calls, log } = await week()
    writeFileSync(hook, '#!/bin/sh\n')
    t.equal(code, 0, log)
    t.equal(inOrigin('rev-parse', 'main'), head)
    t.match(calls, /^pr create /m)
    t.match(state('body'), /^No address changed/)
    t.ok(listOn(BRANCH).provenance.checked >= today)
    t.equal(inOrigin('rev-list', '--count', `main..${BRANCH}`).trim(), '1')
    writeFileSync(join(folder, 'state/open'), '')
  })

  t.test('a change opens a pull request that says what changed', async (t) => {
    publish('c'.repeat(40), page('192.0.2.1', '192.0.2.2'))
    const { code, calls, log } = await week()
    t.equal(code, 0, log)
    t.match(calls, /^pr create --head update-moengage-allowlist --title Update MoEngage's allowlist --body-file /m)
    t.match(state('body'), '### Added (1)\n\n- `192.0.2.2`: DC-01 (sms)\n')
    const list = listOn(BRANCH)
    t.strictSame(list.rows[0].addresses, ['192.0.2.1', '192.0.2.2'])
    t.equal(list.provenance.revision, 'c'.repeat(40))
    t.equal(inOrigin('show', `main:${LIST}`), old, 'main waits for somebody to decide')
    t.equal(inOrigin('diff', '--name-only', 'main', BRANCH).trim(), LIST)
  })

  t.test('the next change renews it', async (t) => {
    publish('d'.repeat(40), page('192.0.2.3'))
    const { code, calls, log } = await week()
    t.equal(code, 0, log)
    t.match(calls, /^pr edit 7 --body-file /m)
    t.notMatch(calls, 'pr create')
    t.match(state('body'), /Added \(1\).*`192\.0\.2\.3`.*Removed \(1\).*`192\.0\.2\.1`/s)
    t.strictSame(listOn(BRANCH).rows[0].addresses, ['192.0.2.3'])
    t.equal(inOrigin('rev-list', '--count', `main..${BRANCH}`).trim(), '1')
  })

  t.test('a page that lost cells, or is gone, fails the job and changes nothing', async (t) => {
    const before = inOrigin('rev-parse', BRANCH)
    publish('e'.repeat(40), page())
    const lost = await week()
    t.match(lost, { failed: 'Import the help page', code: 2, log: /SMS Campaigns.*DC-01/ })
    publish('f'.repeat(40))
    const gone = await week()
    t.match(gone, { failed: 'Import the help page', code: 2, log: /status 404/ })
    for (const { calls } of [lost, gone]) t.notMatch(calls, /^pr /m)
    t.equal(inOrigin('rev-parse', BRANCH), before)
  })

  t.test('a program that crashes is not taken for one that found a difference', async (t) => {
    publish('d'.repeat(40))
    const { failed, code, calls } = await week(`test "$1" != diff && exec ${program}`)
    t.strictSame([failed, code], ['Compare it with the list in use', 1])
    t.notMatch(calls, /^pr /m)
  })

  t.test('a damaged list in the repository fails the job', async (t) => {
    publish('d'.repeat(40))
    commit(first.slice(0, -10))
    const { failed, code, log, calls } = await week()
    t.match(
      { failed, code, log },
      { failed: 'Import the help page', code: 2, log: /moengage\.json is not a snapshot, so it is not replaced/ }
    )
    t.notMatch(calls, /^pr /m)
  })
})
