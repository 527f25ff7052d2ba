import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const { name, version, exports, dependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
const env = Object.fromEntries(
  Object.entries(process.env).filter(([variable]) => !/^(NODE_OPTIONS|NODE_V8_COVERAGE|npm_)/.test(variable))
)

/** Unpacks what npm would publish beside its dependencies, as an installation does. */
function install(folder: string): string {
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, '@fastify'), { recursive: true })
  const [{ filename }] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { env, encoding: 'utf8' })
  )
  execFileSync('tar', ['-xzf', filename, '-C', modules], { cwd: folder, env })
  execFileSync('mv', [join(modules, 'package'), join(modules, name)])
  for (const dependency of [...Object.keys(dependencies), 'fastify']) {
    symlinkSync(join(process.cwd(), 'node_modules', dependency), join(modules, dependency))
  }
  return folder
}

t.test('the package works as it would be published', async (t) => {
  const folder = install(t.testdir({}))
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
      'ExportError',
      'NoAddressesError',
      'OptionsError',
      'PageError',
      'PrefixError',
      'RegisteredTwiceError',
      'RejectedError',
      'RouteError',
      'SnapshotError',
      'SourceError',
      'SuspiciousError'
    ]
    t.strictSame(names.root, [...errors, 'default'].sort(), 'the root has the plugin and the errors')
    t.strictSame(
      names.core.sort(),
      [
        ...errors,
        'CHANNELS',
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
        'parsePrefix'
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

  t.test('on the command line', async (t) => {
    // Links the program as an installation does, and makes it executable.
    execFileSync('npm', ['rebuild', '--offline', '--ignore-scripts', name], { cwd: folder, env })
    const npx = (...argv: string[]) => {
      const options = { cwd: folder, env, encoding: 'utf8' } as const
      const { status, stdout, stderr } = spawnSync('npx', ['--no', '--', name, ...argv], options)
      return { code: status, stdout, stderr: stderr.replaceAll(/^npm warn .*\n/gm, '') }
    }
    t.strictSame(npx('--version'), { code: 0, stdout: `${version}\n`, stderr: '' })
    t.match(npx('list'), { code: 0, stdout: /^segment-sync/m, stderr: '' })
    t.match(npx('explain', '192.0.2.1', '-d', 'DC-01'), { code: 1, stdout: /not-listed/, stderr: '' })
    t.match(npx('explain', '192.0.2'), { code: 2, stdout: '', stderr: /^error: "192\.0\.2"/ })
  })

  t.test('and has no other entry', async (t) => {
    t.strictSame(Object.keys(exports), ['.', './core', './prometheus', './package.json'])
    const code = `import('${name}/dist/src/errors.js').catch(({ code }) => console.log(JSON.stringify(code)))`
    t.equal(evaluate('module', code), 'ERR_PACKAGE_PATH_NOT_EXPORTED')
  })
})
