import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import t from 'tap'
import ts from 'typescript'

/**
 * The rooms of `src` from the bottom to the top: a room imports only from rooms below it. Rooms on one line do not import each other.
 * The doors are the files that `exports` of package.json names.
 */
const COLUMN = [
  ['errors'],
  ['lib'],
  ['ip'],
  ['client-ip', 'directory'],
  ['verdict'],
  ['senders'],
  ['guard'],
  ['log'],
  ['server'],
  ['doors'],
  ['cli']
]

/** Rooms beside the column: one capability each. They have no fixed level; the rooms as a whole must form no circle. */
const BESIDE = ['evidence', 'help-page', 'export', 'egress', 'report', 'signing', 'fleet', 'status-page']

/** Violations that are being mended. The list only gets shorter: an entry that no longer occurs fails the test too. */
const KNOWN: readonly string[] = []

const LEVELS = new Map(COLUMN.flatMap((rooms, level) => rooms.map((room) => [room, level] as const)))

const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, { default: string }> }
const DOORS = Object.values(exports)
  .map((entry) => /^\.\/dist\/src\/(.+)\.js$/.exec(entry.default ?? '')?.[1])
  .filter((door) => door !== undefined)
  .map((door) => `${door}.ts`)

const FILES = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts'))
  .sort()

/** The relative specifiers that a file names: imports, type imports, re-exports, `import()` as a call and as a type. */
function specifiersOf(text: string): string[] {
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    const specifier =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? node.arguments[0]
          : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
            ? node.argument.literal
            : undefined
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) found.push(specifier.text)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest))
  return found.filter((specifier) => specifier.startsWith('.'))
}

/** The files of `src` that a file imports. Data files are part of the room that holds them. */
function importsOf(file: string): string[] {
  const paths = specifiersOf(readFileSync(`src/${file}`, 'utf8')).map((specifier) =>
    posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts')
  )
  return [...new Set(paths)].filter((path) => path.endsWith('.ts'))
}

/** A file in the root that is neither a door nor `errors.ts` is a room of its own without a place. */
function roomOf(file: string): string {
  if (file.includes('/')) return file.slice(0, file.indexOf('/'))
  return DOORS.includes(file) ? 'doors' : file.replace(/\.ts$/, '')
}

type Graph = ReadonlyMap<string, readonly string[]>

/** The groups of nodes that reach each other: a node in no circle is in no group. */
function circlesOf(graph: Graph): string[][] {
  const reach = new Map([...graph.keys()].map((node) => [node, reachableFrom(node, graph)]))
  const groups = [...graph.keys()].map((node) =>
    [...reach.get(node)!].filter((other) => reach.get(other)?.has(node)).sort()
  )
  return [...new Map(groups.filter((group) => group.length > 0).map((group) => [group.join(), group])).values()]
}

function reachableFrom(start: string, graph: Graph): Set<string> {
  const found = new Set<string>()
  const waiting = [...(graph.get(start) ?? [])]
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (found.has(node)) continue
    found.add(node)
    waiting.push(...(graph.get(node) ?? []))
  }
  return found
}

/** Whether a room may import another, as far as both have a level. */
function isDownwards(from: string, to: string): boolean {
  const [above, below] = [LEVELS.get(from), LEVELS.get(to)]
  return from === to || above === undefined || below === undefined || below < above
}

/** The imports between rooms, without those that are violations already: one wrong import is reported once. */
function roomsOf(files: Graph): Graph {
  const rooms = new Map<string, string[]>()
  for (const [file, imported] of files) {
    const from = roomOf(file)
    const others = imported.map(roomOf).filter((to) => to !== from && isDownwards(from, to))
    rooms.set(from, [...(rooms.get(from) ?? []), ...others])
  }
  return rooms
}

function violationsOf(files: Graph): string[] {
  const upwards = [...files].flatMap(([file, imported]) =>
    imported.filter((other) => !isDownwards(roomOf(file), roomOf(other))).map((other) => `${file} imports ${other}`)
  )
  const circles = circlesOf(files).map((group) => `circle of files: ${group.join(', ')}`)
  const roomCircles = circlesOf(roomsOf(files)).map((group) => `circle of rooms: ${group.join(', ')}`)
  const unknown = [...new Set([...files.keys()].map(roomOf))]
    .filter((room) => !LEVELS.has(room) && !BESIDE.includes(room))
    .map((room) => `${room} has no place: neither a room, nor a door, nor errors.ts`)
  return [...upwards, ...circles, ...roomCircles, ...unknown].sort()
}

t.test('every form of import is read', async (t) => {
  const text = `
    import a from './a.js'
    import type { B } from './b.js'
    import { type C } from './c.js'
    export * from './d.js'
    export type { E } from './e.js'
    import './f.js'
    const g = () => import('./g.js')
    type H = import('./h.js').H
    import data from './data.json' with { type: 'json' }
    import 'node:fs'
    const text = "import './no.js'" // import './no.js'
  `
  t.strictSame(
    specifiersOf(text),
    ['a.js', 'b.js', 'c.js', 'd.js', 'e.js', 'f.js', 'g.js', 'h.js', 'data.json'].map((name) => `./${name}`)
  )
})

t.test('a wrong import is found', async (t) => {
  const table: [files: Record<string, string[]>, violations: string[]][] = [
    [{ 'ip/a.ts': ['lib/b.ts', 'errors.ts'], 'lib/b.ts': [], 'errors.ts': [] }, []],
    [{ 'ip/a.ts': ['guard/b.ts'], 'guard/b.ts': [] }, ['ip/a.ts imports guard/b.ts']],
    [{ 'client-ip/a.ts': ['directory/b.ts'], 'directory/b.ts': [] }, ['client-ip/a.ts imports directory/b.ts']],
    [{ 'server/a.ts': ['index.ts'], 'index.ts': [] }, ['server/a.ts imports index.ts']],
    [
      { 'lib/a.ts': ['errors.ts'], 'errors.ts': ['lib/a.ts'] },
      ['circle of files: errors.ts, lib/a.ts', 'errors.ts imports lib/a.ts']
    ],
    [
      { 'ip/a.ts': ['ip/b.ts'], 'ip/b.ts': ['ip/c.ts'], 'ip/c.ts': ['ip/a.ts'] },
      ['circle of files: ip/a.ts, ip/b.ts, ip/c.ts']
    ],
    [
      {
        'ip/a.ts': ['export/b.ts'],
        'export/b.ts': [],
        'export/c.ts': ['guard/d.ts'],
        'guard/d.ts': ['ip/e.ts'],
        'ip/e.ts': []
      },
      ['circle of rooms: export, guard, ip']
    ],
    [
      {
        'cli/a.ts': ['export/b.ts', 'core.ts'],
        'export/b.ts': ['directory/c.ts'],
        'directory/c.ts': [],
        'core.ts': []
      },
      []
    ],
    [
      { 'stray.ts': [], 'attic/a.ts': [] },
      [
        'attic has no place: neither a room, nor a door, nor errors.ts',
        'stray has no place: neither a room, nor a door, nor errors.ts'
      ]
    ]
  ]
  for (const [files, violations] of table) {
    t.strictSame(violationsOf(new Map(Object.entries(files))), violations, JSON.stringify(files))
  }
})

t.test('imports run downwards, in no circle, and the root holds the doors and errors.ts', async (t) => {
  t.ok(FILES.length > 50 && DOORS.length > 5, 'the files and the doors are found')
  for (const door of DOORS) t.ok(existsSync(`src/${door}`), door)
  const files = new Map(FILES.map((file) => [file, importsOf(file)]))
  for (const [file, imported] of files) {
    for (const other of imported) t.ok(files.has(other), `${file} imports ${other}, which exists`)
  }
  const violations = violationsOf(files)
  t.strictSame(
    violations.filter((violation) => !KNOWN.includes(violation)),
    [],
    'nothing new'
  )
  t.strictSame(
    KNOWN.filter((violation) => !violations.includes(violation)),
    [],
    'what was mended is removed from KNOWN'
  )
})
