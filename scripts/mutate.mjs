// Mutation test of the rooms that decide about a request: changes the code in one small way after another and expects a test to
// fail. Lists the mutants that no test notices, and fails when fewer than 90 % are noticed in one of the rooms.
//   npm run mutate                       all rooms
//   npm run mutate -- ip                 one room
//   npm run mutate -- src/ip/prefix.ts   files of one room
// Stryker mutates the TypeScript in a copy of the project and compiles all mutants at once; each run of a test file then switches
// one of them on. Where a mutant changes no behaviour, scripts/equivalent-mutants.json says why.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Stryker } from '@stryker-mutator/core'

/** The rooms, and the tests that may notice a mutant of theirs. */
const ROOMS = {
  ip: ['ip/**/*', 'client-ip/**/*', 'directory/*', 'guard/suspicions', 'guard/verdicts', 'verdict/*'],
  'client-ip': ['client-ip/**/*', 'verdict/*', 'guard/advice', 'guard/options', 'server/*'],
  verdict: ['verdict/**/*', 'guard/**/*', 'senders/**/*', 'evidence/*', 'server/fetch'],
  // The mocks of the tests of loggers do not work in a copy that was compiled.
  guard: [
    'guard/**/*',
    'verdict/*',
    'senders/**/*',
    'log/!(*logger)',
    'evidence/*',
    'server/*',
    'fleet/{member,own-source}',
    'prometheus'
  ]
}
const REQUIRED = 90
const FOLDER = '.stryker-tmp'

const started = process.argv.slice(2)
const named = started.filter((name) => !name.includes('/'))
const files = started.filter((name) => name.includes('/'))
const rooms = files.length > 0 ? [files[0].split('/')[1]] : named.length > 0 ? named : Object.keys(ROOMS)
for (const room of rooms) {
  if (room in ROOMS) continue
  console.error(
    `error: "${room}" is not mutated. Name one of ${Object.keys(ROOMS).join(', ')}, or files of one of them.`
  )
  process.exit(2)
}

const known = JSON.parse(readFileSync(new URL('equivalent-mutants.json', import.meta.url), 'utf8'))

// Property tests run a tenth of their cases.
process.env.FC_RUNS ??= '200'
// The machine may be busy with other mutants.
process.env.TAP_TIMEOUT ??= '120'

/** What a mutant replaces, and by what: it stays the same when lines above it come and go. */
function keyOf({ fileName, location: { start, end }, replacement }) {
  const lines = readFileSync(fileName, 'utf8')
    .split('\n')
    .slice(start.line - 1, end.line)
  lines[lines.length - 1] = lines.at(-1).slice(0, end.column - 1)
  lines[0] = lines[0].slice(start.column - 1)
  const file = fileName.slice(fileName.lastIndexOf('/src/') + 1)
  return { file, original: lines.join('\n'), replacement }
}

const isSame = (a, b) => a.file === b.file && a.original === b.original && a.replacement === b.replacement

async function mutate(room) {
  const start = performance.now()
  const results = await new Stryker({
    mutate: files.length > 0 ? files : [`src/${room}/**/*.ts`],
    mutator: { excludedMutations: ['StringLiteral'] },
    ignoreStatic: true,
    ignorePatterns: ['bench', 'docs/api', '.tap', '.out', 'dist'],
    buildCommand: 'npm run --silent mutate:build',
    testRunner: 'tap',
    plugins: [new URL('mutation-runner.mjs', import.meta.url).href],
    tap: {
      testFiles: ROOMS[room].map((tests) => `dist/test/${tests}.test.js`),
      nodeArgs: ['-r', '{{hookFile}}', '{{testFile}}']
    },
    coverageAnalysis: 'perTest',
    concurrency: Number(process.env.CONCURRENCY ?? 2),
    timeoutMS: 30_000,
    reporters: ['progress-append-only'],
    checkers: [],
    allowEmpty: false,
    logLevel: 'error'
  }).runMutationTest()
  const seconds = (performance.now() - start) / 1000

  const judged = results.filter(({ status }) => !['Ignored', 'CompileError'].includes(status))
  const unnoticed = judged.filter(({ status }) => ['Survived', 'NoCoverage'].includes(status))
  const survivors = unnoticed.filter((mutant) => !known.some((other) => isSame(other, keyOf(mutant))))
  const equivalent = unnoticed.length - survivors.length
  const count = judged.length - equivalent
  const score = (100 * (count - survivors.length)) / count
  for (const mutant of survivors) {
    const { file, original, replacement } = keyOf(mutant)
    console.log(`${file}:${mutant.location.start.line} ${mutant.status}: ${original} → ${replacement}`)
  }
  // An entry about a file that was mutated as a whole, but about no mutant that survived, is out of date.
  const mutated = new Set(results.map((mutant) => keyOf(mutant).file))
  const stale = known.filter((entry) => mutated.has(entry.file) && !unnoticed.some((m) => isSame(entry, keyOf(m))))
  for (const { file, original } of stale) console.log(`${file}: no survivor replaces ${original}: remove the entry`)
  const each = (seconds / judged.length).toFixed(1)
  console.log(
    `${room}: ${score.toFixed(1)} % of ${count} mutants are killed, ${equivalent} are equivalent; ${seconds.toFixed(0)} s, ${each} s each`
  )
  return { survivors: survivors.map(keyOf), isGood: score >= REQUIRED && stale.length === 0 }
}

const survivors = []
for (const room of rooms) {
  const result = await mutate(room)
  survivors.push(...result.survivors)
  if (!result.isGood) process.exitCode = 1
}
mkdirSync(FOLDER, { recursive: true })
writeFileSync(`${FOLDER}/survivors.json`, `${JSON.stringify(survivors, null, 2)}\n`)
