import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { MAX_LINE, type Mark, readLines } from '../../src/report/read-lines.js'
import { runs } from '../support/properties.js'

/** Every line holds this mark. */
const EVERY_LINE: readonly Mark[] = [{ text: '', part: '' }]
const MARKS: readonly Mark[] = [
  { text: 'mark', part: 'rk' },
  { text: 'sign', part: 'sign' },
  { text: 'oops', part: 'o' }
]

/** Reads bytes that come in chunks. */
async function read(chunks: readonly Buffer[] | AsyncIterable<Buffer>, marks = EVERY_LINE) {
  const lines: string[] = []
  const skipped: [count: number, last: string | undefined][] = []
  const long: string[] = []
  const damages: string[] = []
  await readLines(
    Symbol.asyncIterator in chunks ? chunks : Readable.from(chunks.filter(({ length }) => length > 0)),
    {
      line(text) {
        lines.push(text)
        return false
      },
      skipped: (count, last) => skipped.push([count, last]),
      matters: (part) => part.includes('mark'),
      tooLong: (start, hasMattered) => long.push(hasMattered ? `${start}!` : start),
      damaged: (what) => damages.push(what)
    },
    marks
  )
  return { lines, long, damages, skipped }
}

const UTF16 = (text: string) => Buffer.from(text, 'utf16le')

t.test('lines are the same however the stream is cut, packed and encoded', async () => {
  const text = fc.oneof(fc.string({ maxLength: 20 }), fc.constant('x'.repeat(MAX_LINE + 1)), fc.constant('é€😀'))
  const lines = fc.array(
    text.map((line) => line.replaceAll(/[\n\0\ufeff]/g, ' ')),
    { maxLength: 8 }
  )
  const cuts = fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 40 })
  const encodings = fc.constantFrom(
    (text: string) => Buffer.from(text),
    (text: string) => UTF16(`\ufeff${text}`),
    (text: string) => UTF16(`\ufeff${text}`).swap16()
  )
  await fc.assert(
    fc.asyncProperty(lines, cuts, fc.boolean(), encodings, async (lines, cuts, isPacked, encode) => {
      const plain = encode(lines.join('\n'))
      const bytes = isPacked ? gzipSync(plain) : plain
      const chunks: Buffer[] = []
      let at = 0
      for (const cut of cuts) {
        chunks.push(bytes.subarray(at, at + cut))
        at += cut
      }
      chunks.push(bytes.subarray(at))
      const found = await read(chunks)
      const isLong = (line: string) => Buffer.byteLength(line) > MAX_LINE
      const expected = lines.filter((line) => line !== '' && !isLong(line))
      if (JSON.stringify(found.lines) !== JSON.stringify(expected))
        throw new Error(`${found.lines} are not ${expected}`)
      if (found.long.length !== lines.filter(isLong).length) throw new Error(`${found.long.length} long lines`)
      if (found.long.some(({ length }) => length !== MAX_LINE)) throw new Error('the start of a line is not kept')
      if (found.damages.length > 0) throw new Error(`${found.damages}`)
    }),
    runs(60)
  )
})

t.test('UTF-16 without a byte order mark is known by its zeros', async (t) => {
  t.strictSame((await read([UTF16('{"a":1}\nx')])).lines, ['{"a":1}', 'x'])
  t.strictSame((await read([UTF16('{"a":1}\nx').swap16()])).lines, ['{"a":1}', 'x'])
  t.strictSame((await read([gzipSync(UTF16('{"a":1}'))])).lines, ['{"a":1}'])
  t.strictSame((await read([Buffer.from('a\0b')])).lines, ['a\0b'], 'a single zero is a character')
})

t.test('another kind of archive is refused with the command that unpacks it', async (t) => {
  const table: [bytes: number[] | string, message: RegExp][] = [
    [[0x28, 0xb5, 0x2f, 0xfd, 0], /packed with zstd; unpack it: zstd -dc FILE \| moengage-allowlist report/],
    [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], /xz -dc FILE/],
    ['BZh91AY', /bzip2 -dc FILE/],
    [[0x50, 0x4b, 3, 4], /unzip -p FILE/],
    [[0x04, 0x22, 0x4d, 0x18], /packed with lz4; unpack it: lz4 -dc FILE \|/],
    [[0x5d, 0, 0, 0x80, 0], /packed with lzma; unpack it: lzma -dc FILE \|/],
    ...[1, 6, 9].map((level): [number[], RegExp] => [
      [...deflateSync('one\n', { level })],
      /packed with zlib; unpack it: node -e 'process.stdin.pipe\(zlib.createInflate\(\)\).pipe\(process.stdout\)' < FILE \|/
    ]),
    [[0xff, 0xfe, 0, 0, 0x7b], /in UTF-32; convert it: iconv -f UTF-32 -t UTF-8 FILE \|/],
    [[0, 0, 0xfe, 0xff, 0], /in UTF-32/]
  ]
  for (const [bytes, message] of table) await t.rejects(read([Buffer.from(bytes as string)]), { message })
})

t.test('an archive that is cut off gives its lines and its damage', async (t) => {
  const packed = gzipSync('one\ntwo\n')
  t.strictSame(await read([packed, Buffer.from('garbage')]), {
    lines: ['one', 'two'],
    long: [],
    damages: ['has other bytes between or behind its parts'],
    skipped: []
  })
})

t.test('of a line that is too long, each part is looked at, wherever a chunk ends', async (t) => {
  const filler = Buffer.alloc(MAX_LINE, 'x')
  const table: [what: string, chunks: (string | Buffer)[], hasMattered: boolean][] = [
    ['at its start', ['mark', filler, '\n'], true],
    ['at its end', [filler, 'mark\n'], true],
    ['in its middle', [filler, 'mark', filler, '\n'], true],
    ['on a border', [filler, 'yma', 'rky', '\n'], true],
    ['on a border far behind', [filler, filler, 'yma', 'rky', filler, '\n'], true],
    ['in the next line', [filler, 'y\nmark\n'], false],
    ['in the line before', ['mark\n', filler, 'y\n'], false]
  ]
  for (const [what, chunks, hasMattered] of table) {
    const { long } = await read(chunks.map((chunk) => Buffer.from(chunk)))
    t.strictSame(
      long.map((start) => [start.length, start.endsWith('!')]),
      [[MAX_LINE + (hasMattered ? 1 : 0), hasMattered]],
      what
    )
  }
  const two = await read([filler, Buffer.from('mark\n'), filler, Buffer.from('y\n')])
  t.strictSame(
    two.long.map((start) => start.endsWith('!')),
    [true, false],
    'each line for itself'
  )
})

t.test('zeros at the start of a line are skipped, those inside of it are not', async (t) => {
  const { lines } = await read([Buffer.alloc(10), Buffer.from('\0\0a\0b\n\0\n\0c'), Buffer.from('\0d')])
  t.strictSame(lines, ['a\0b', 'c\0d'])
})

t.test('of zeros before a line, and of lines that come in many parts, no chunk is kept', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const MB = 2 ** 20
  const memory = async () => {
    // Memory is freed beside the collection, some of it by the next one.
    for (let i = 0; i < 3; i++) {
      collect()
      await setImmediate()
    }
    return process.memoryUsage().arrayBuffers
  }
  const many = (count: number, make: () => Buffer) => Array.from({ length: count }, () => make)
  const zeros = gzipSync(Buffer.alloc(32 * MB))
  const one = gzipSync('x')
  const table: [what: string, chunks: (() => Buffer)[], line: string][] = [
    ['zeros of a file that was emptied', [...many(32, () => Buffer.alloc(MB)), () => Buffer.from('a')], 'a'],
    ['packed zeros', [() => Buffer.from(zeros), () => gzipSync('a')], 'a'],
    ['packed parts of a byte each', many(1000, () => Buffer.from(one)), 'x'.repeat(1000)]
  ]
  for (const [what, chunks, line] of table) {
    const before = await memory()
    let kept = Number.NaN
    const source = async function* () {
      for (const make of chunks) yield make()
      kept = (await memory()) - before
    }
    const { lines } = await read(source())
    t.strictSame(lines, [line], what)
    t.ok(kept < 8 * MB, `${what}: ${kept} bytes are kept`)
  }
})

t.test('a part that is no text is a damage, wherever a chunk ends', async (t) => {
  const GZIP = /^has a part that is packed with gzip among its text, which was not read: give each part/
  const WIDE = /^has a part in UTF-16 among its text/
  const wide = UTF16('{"moengage":1}\n')
  const table: [chunks: Buffer[], damages: RegExp[]][] = [
    [[Buffer.from('a\n'), gzipSync('b\n')], [GZIP]],
    [[Buffer.from('a\n\u001f'), gzipSync('b\n').subarray(1)], [GZIP]],
    [[Buffer.from([97, 10, 0x1f]), Buffer.from([0x8b]), Buffer.from([8, 0])], [GZIP]],
    [[Buffer.from('a\n'), wide], [WIDE]],
    [[Buffer.concat([Buffer.from('a\n'), wide.swap16()])], [WIDE]],
    [[Buffer.from('a\n'), wide.subarray(0, 15), wide.subarray(15)], [WIDE]],
    [[Buffer.from('a\u001f\0g\0a\n')], []]
  ]
  for (const [chunks, damages] of table) {
    const found = await read(chunks)
    t.match(found.damages, damages, JSON.stringify(chunks.map(String)))
    t.equal(found.damages.length, damages.length)
  }
})

t.test('a stream that fails is an error', async (t) => {
  const broken = Readable.from(
    (async function* () {
      yield Buffer.from('one\n')
      throw new Error('the disk is gone')
    })()
  )
  const lines: string[] = []
  const sink = {
    line: (text: string) => lines.push(text) < 0,
    skipped() {},
    matters: () => false,
    tooLong() {},
    damaged() {}
  }
  await t.rejects(readLines(broken, sink, EVERY_LINE), { message: 'the disk is gone' })
})

t.test('lines without a mark are skipped and counted; no line with a mark is, wherever a chunk ends', async () => {
  const words = fc.constantFrom(
    'mark',
    'ma',
    'rk',
    'sign',
    'si',
    'gn',
    'm',
    'a',
    'oo',
    'ps',
    ' ',
    '\r',
    'é',
    'x'.repeat(30)
  )
  const lines = fc.array(
    fc.array(words, { maxLength: 5 }).map((parts) => parts.join('')),
    { maxLength: 12 }
  )
  const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(lines, cuts, async (lines, cuts) => {
      const bytes = Buffer.from(lines.join('\n'))
      const chunks = cuts.map((cut, i) => {
        const start = cuts.slice(0, i).reduce((sum, other) => sum + other, 0)
        return bytes.subarray(start, start + cut)
      })
      chunks.push(bytes.subarray(cuts.reduce((sum, cut) => sum + cut, 0)))
      const found = await read(chunks, MARKS)
      const filled = lines.filter((line) => line !== '')
      const skipped = found.skipped.reduce((sum, [count]) => sum + count, 0)
      if (found.lines.length + skipped !== filled.length) throw new Error(`${skipped} were skipped`)
      const marked = (all: readonly string[]) => all.filter((line) => /mark|sign|oops/.test(line))
      if (marked(found.lines).join() !== marked(lines).join()) throw new Error('a line with a mark was skipped')
      const blank = (all: readonly string[]) => all.filter((line) => line.trim() === '').length
      if (blank(found.lines) !== blank(filled)) throw new Error('a blank line was skipped')
      for (const [, last] of found.skipped) {
        if (last !== undefined && !lines.includes(last)) throw new Error(`${last} is no line`)
      }
    }),
    runs(300)
  )
})

t.test(
  'of a chunk, only the lines with a mark are read, and the last of those that were skipped is known',
  async (t) => {
    const table: [chunks: string[], lines: string[], skipped: [number, string | undefined][]][] = [
      [['a\nb\nmark\nc\n'], ['mark'], [[3, 'c']]],
      [['a\nmark 1\nb\nsign 2\n'], ['mark 1', 'sign 2'], [[2, undefined]]],
      [
        ['a line\nma', 'rk\nb\nc'],
        ['mark', 'c'],
        [
          [1, 'a line'],
          [1, 'b']
        ]
      ],
      [['\n \r\na\n'], [' \r'], [[1, 'a']]],
      [['mark\n', 'mark mark\n'], ['mark', 'mark mark'], []],
      // The part of a mark that is searched for stands alone, before the whole mark, or at the start of a chunk.
      [['rk\nmurk\nrk murk mark\nrk\n'], ['rk murk mark'], [[3, 'rk']]],
      [['ooops\no'], ['ooops', 'o'], []]
    ]
    for (const [chunks, lines, skipped] of table) {
      const found = await read(
        chunks.map((chunk) => Buffer.from(chunk)),
        MARKS
      )
      t.strictSame([found.lines, found.skipped], [lines, skipped], JSON.stringify(chunks))
    }
  }
)
