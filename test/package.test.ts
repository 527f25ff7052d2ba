import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import ts from 'typescript'

const { name, version, exports, dependencies, typesVersions } = JSON.parse(readFileSync('package.json', 'utf8'))
const env = Object.fromEntries(
  Object.entries(process.env).filter(([variable]) => !/^(NODE_OPTIONS|NODE_V8_COVERAGE|npm_)/.test(variable))
)

const tarballs = t.testdir({})
const [{ filename }] = JSON.parse(
  execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', tarballs], { env, encoding: 'utf8' })
)

/** Unpacks what npm would publish beside its dependencies and `others`, as an installation does. */
function install(folder: string, others: readonly string[]): string {
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, name), { recursive: true })
  execFileSync('tar', ['-xzf', join(tarballs, filename), '-C', join(modules, name), '--strip-components=1'])
  for (const dependency of [...Object.keys(dependencies), ...others]) {
    mkdirSync(dirname(join(modules, dependency)), { recursive: true })
    symlinkSync(join(process.cwd(), 'node_modules', dependency), join(modules, dependency))
  }
  return folder
}

const RESOLUTIONS = {
  nodenext: { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
  bundler: { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler }
}
/** What the projects have in common is read once. */
const parsed = new Map<string, ts.SourceFile | undefined>()

/** Finds what is wrong with a project's own code and with our types; those of others are theirs to check. */
function check(file: string, resolution: keyof typeof RESOLUTIONS): string[] {
  const options = { ...RESOLUTIONS[resolution], target: ts.ScriptTarget.ES2022, strict: true, types: ['node'] }
  const own = ts.createCompilerHost(options)
  const host: ts.CompilerHost = {
    ...own,
    // Types are looked up from where the project is.
    getCurrentDirectory: () => dirname(file),
    getSourceFile(path, how) {
      const key = `${path} ${JSON.stringify(how)}`
      if (!parsed.has(key)) parsed.set(key, own.getSourceFile(path, how))
      return parsed.get(key)
    }
  }
  const program = ts.createProgram([file], options, host)
  const mistakes = [...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics()]
  for (const source of program.getSourceFiles()) {
    if (source.fileName !== file && !source.fileName.includes(`/${name}/dist/`)) continue
    mistakes.push(...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source))
  }
  return mistakes.map(
    ({ messageText, file }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
  )
}

t.test('the package works as it would be published', async (t) => {
  const folder = install(t.testdir({}), ['fastify'])
  const evaluate = (type: 'module' | 'commonjs', code: string) =>
    JSON.parse(
      execFileSync(process.execPath, [`--input-type=${type}`, '-e', code], { cwd: folder, env, encoding: 'utf8' })
    )

  t.test('from ESM', async (t) => {
    const names = evaluate(
      'module',
      `import * as root from '${name}'; import * as core from '${name}/core'; import Fastify from 'fastify'
       const app = Fastify(); await app.register(root.default, { dataCenters: 'DC-01' }); app.get('/', () => 'ok')
       const { statusCode } = await app.inject({ url: '/', remoteAddress: '52.6.248.125' })
       console.log(JSON.stringify({ root: Object.keys(root), core: Object.keys(core), statusCode }))`
    )
    const errors = [
      'ChannelError',
      'DataCenterError',
      'EgressError',
      'EventError',
      'ExportError',
      'FleetError',
      'NoAddressesError',
      'NotReadyError',
      'OptionsError',
      'PageError',
      'PrefixError',
      'RegisteredTwiceError',
      'RejectedError',
      'RouteError',
      'SignatureError',
      'SnapshotError',
      'SourceError',
      'SuspiciousError'
    ]
    t.strictSame(
      names.root.sort(),
      [...errors, 'default', 'secretHeader'].sort(),
      'the root has the plugin and the errors'
    )
    t.strictSame(
      names.core.sort(),
      [
        ...errors,
        'CHANNELS',
        'checkEgress',
        'formatEgress',
        'outboundHosts',
        'DATA_CENTERS',
        'EXPORT_FORMATS',
        'compileMatcher',
        'createClientIpResolver',
        'createGuard',
        'diffDirectories',
        'directory',
        'exportDirectory',
        'loadGuard',
        'parseAddress',
        'parseChannel',
        'parseDataCenter',
        'parsePrefix',
        'secretHeader',
        'verifyAlertSignature'
      ].sort()
    )
    t.equal(names.statusCode, 200)
  })

  t.test('from require', async (t) => {
    const types = evaluate(
      'commonjs',
      `const root = require('${name}'), core = require('${name}/core'), { version } = require('${name}/package.json')
       console.log(JSON.stringify([typeof root.default, typeof core.createGuard, typeof version]))`
    )
    t.strictSame(types, ['function', 'function', 'string'])
  })

  t.test('with the thread that imports a page, as a source', async (t) => {
    const page = '<table><tr><th>Row</th></tr></table>'
    const answer = evaluate(
      'module',
      `import { loadGuard } from '${name}/core'
       const fetch = async () => new Response(${JSON.stringify(page)}, { headers: { 'content-type': 'text/html' } })
       const source = { page: 'https://example.com/', fetch }
       const { message } = await loadGuard({ dataCenters: 'DC-01', source }).catch((error) => error)
       console.log(JSON.stringify(message))`
    )
    t.match(answer, /no table/, 'the importer itself answers')
  })

  t.test('on the command line', async (t) => {
    // Links the program as an installation does, and makes it executable.
    execFileSync('npm', ['rebuild', '--offline', '--ignore-scripts', name], { cwd: folder, env })
    const command = (program: string, ...argv: string[]) => {
      const options = { cwd: folder, env, encoding: 'utf8' } as const
      const { status, stdout, stderr } = spawnSync(program, argv, options)
      return { code: status, stdout, stderr: stderr.replaceAll(/^npm warn .*\n/gm, '') }
    }
    const linked = join('node_modules', '.bin', name)
    t.strictSame(command('npx', '--no', '--', name, '--version'), { code: 0, stdout: `${version}\n`, stderr: '' })
    t.match(command(linked, 'list'), { code: 0, stdout: /^segment-sync/m, stderr: '' })
    t.match(command(linked, 'explain', '192.0.2.1', '-d', 'DC-01'), { code: 1, stdout: /not-listed/, stderr: '' })
    t.match(command(linked, 'explain', '192.0.2'), { code: 2, stdout: '', stderr: /^error: "192\.0\.2"/ })
  })

  t.test('with pages whose links lead to something that is part of it', async (t) => {
    const root = join(folder, 'node_modules', name)
    const pages = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.md'))
    t.ok(pages.includes('README.md') && pages.includes('docs/errors.md'))
    for (const page of pages) {
      for (const [, target] of readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^(?:https?:|#|mailto:)/.test(target!)) continue
        t.ok(existsSync(join(root, dirname(page), target!.split('#')[0]!)), `${page}: ${target}`)
      }
    }
    t.notOk(existsSync(join(root, 'docs/api')), 'and without the API documentation, which is built for a release')
  })

  t.test('and has no other entry', async (t) => {
    t.strictSame(Object.keys(exports), [
      '.',
      './core',
      './prometheus',
      './redis',
      './express',
      './http',
      './fetch',
      './workers',
      './lambda',
      './status-page',
      './package.json'
    ])
    const doors = Object.keys(exports).filter((door) => !['.', './package.json'].includes(door))
    t.strictSame(Object.keys(typesVersions['*']).sort(), doors.map((door) => door.slice(2)).sort(), 'node10 finds all')
    const code = `import('${name}/dist/src/errors.js').catch(({ code }) => console.log(JSON.stringify(code)))`
    t.equal(evaluate('module', code), 'ERR_PACKAGE_PATH_NOT_EXPORTED')
  })
})

/** Projects that have only what is named here, and the entries that they use. */
const PROJECTS: [what: string, others: string[], code: string][] = [
  [
    'only Fastify',
    ['fastify'],
    `import moengageAllowlist from '${name}'
     import Fastify from 'fastify'
     const app = Fastify()
     await app.register(moengageAllowlist, { dataCenters: 'DC-01' })
     app.get('/', { config: { moengage: { channels: 'streams' } } }, async (request) => request.moengage?.verified)`
  ],
  [
    'only Express',
    ['express', '@types/express'],
    `import moengageAllowlist from '${name}/express'
     import express, { type Request, type Response } from 'express'
     const guard = moengageAllowlist({ dataCenters: 'DC-01', onReject: (_: Request, response: Response) => response.sendStatus(404) })
     express().use('/hooks', guard, (request, response) => { response.json(request.moengage) })`
  ],
  [
    'no framework',
    [],
    `import { createServer } from 'node:http'
     import { createGuard } from '${name}/core'
     import guardConnect from '${name}/express'
     import guardFetch from '${name}/fetch'
     import guardNode from '${name}/http'
     import guardLambda from '${name}/lambda'
     import { storeFleet } from '${name}/redis'
     import guardWorkers from '${name}/workers'
     if (![guardLambda, guardWorkers, storeFleet].every((door) => typeof door === 'function')) throw new Error()
     createServer(guardNode({ dataCenters: 'DC-01' }).listener((request, response) => response.end(request.method ?? '')))
     createServer((request, response) => guardConnect({ dataCenters: 'DC-01' })(request, response, () => response.end()))
     const { response } = await guardFetch({ dataCenters: 'DC-01' }).check(new Request('http://x'), '52.6.248.125')
     if (response !== undefined || !createGuard({ dataCenters: 'DC-01' }).explain('52.6.248.125').verdict.verified) throw response`
  ]
]

for (const [what, others, code] of PROJECTS) {
  t.test(`the package works in a project with ${what}`, async (t) => {
    // Not within the repository: its own packages would be found from there.
    const folder = install(mkdtempSync(join(tmpdir(), 'moengage-project-')), [...others, '@types/node'])
    t.teardown(() => rmSync(folder, { recursive: true }))
    const main = join(folder, 'main.ts')
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    writeFileSync(main, code)
    for (const resolution of ['nodenext', 'bundler'] as const) {
      t.strictSame(check(main, resolution), [], `TypeScript, ${resolution}`)
    }
    const { outputText } = ts.transpileModule(code, {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }
    })
    writeFileSync(join(folder, 'main.js'), outputText)
    t.doesNotThrow(() => execFileSync('node', ['main.js'], { cwd: folder, env, stdio: 'inherit' }), 'and runs')
    // That of prom-client needs prom-client.
    const entries = Object.keys(exports).filter((entry) => entry !== './prometheus')
    const specifiers = entries.map((entry) => `${name}${entry.slice(1)}`)
    const load = `for (const entry of ${JSON.stringify(specifiers)}) require(entry)`
    t.doesNotThrow(
      () => execFileSync('node', ['--input-type=commonjs', '-e', load], { cwd: folder, env, stdio: 'inherit' }),
      'every entry can be required'
    )
  })
}
