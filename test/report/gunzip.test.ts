import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { deflateRawSync, gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { ByteReader, gunzip } from '../../src/report/gunzip.js'
import { runs } from '../support/properties.js'

/** Unpacks bytes that come in chunks of a size. */
async function unpack(bytes: Buffer, size = 65_536) {
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size)
  )
  const damages: string[] = []
  const output: Buffer[] = []
  for await (const chunk of gunzip(new ByteReader(Readable.from(chunks)), (what) => damages.push(what)))
    output.push(chunk)
  return { text: Buffer.concat(output).toString('latin1'), damages }
}

const LINES = Array.from({ length: 1_000 }, (_, i) => `line ${i * 7919} ${Math.sin(i)}\n`)
const TEXT = LINES.join('')
const PACKED = gzipSync(TEXT)
const GARBAGE = ['has other bytes between or behind its parts']

t.test('parts one after the other are unpacked, in chunks of any size', async (t) => {
  const table: [name: string, bytes: Buffer, text: string][] = [
    ['one part', PACKED, TEXT],
    ['two parts', Buffer.concat([PACKED, PACKED]), TEXT + TEXT],
    ['an empty part', Buffer.concat([gzipSync(''), PACKED]), TEXT],
    ['zeros behind it', Buffer.concat([PACKED, Buffer.alloc(1_000)]), TEXT],
    ['no bytes at all', Buffer.alloc(0), '']
  ]
  for (const [name, bytes, text] of table) {
    for (const size of [1, 13, 65_536])
      t.strictSame(await unpack(bytes, size), { text, damages: [] }, `${name}, ${size}`)
  }
})

/** A part with a header of these flags and fields. */
const withHeader = (flags: number, fields: Buffer) =>
  Buffer.concat([Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3]), fields, PACKED.subarray(10)])

t.test('every field of a header is skipped', async (t) => {
  const name = Buffer.from('app.log\0')
  const extra = Buffer.from([3, 0, 1, 2, 3])
  const table: [flags: number, fields: Buffer][] = [
    [0, Buffer.alloc(0)],
    [8, name],
    [16, name],
    [8 + 16, Buffer.concat([name, name])],
    [4, extra],
    [2, Buffer.from([1, 2])],
    [2 + 4 + 8 + 16, Buffer.concat([extra, name, name, Buffer.from([1, 2])])]
  ]
  for (const [flags, fields] of table) {
    t.strictSame(await unpack(withHeader(flags, fields)), { text: TEXT, damages: [] }, `flags ${flags}`)
  }
})

t.test('damage costs nothing before it and nothing behind it', async (t) => {
  const behind = gzipSync('behind\n')
  const half = PACKED.subarray(0, PACKED.length >> 1)
  const other = (at: number) => {
    const bytes = Buffer.from(PACKED)
    bytes[bytes.length + at]! ^= 1
    return bytes
  }
  const table: [name: string, bytes: Buffer, lines: number, damages: string[]][] = [
    ['garbage behind it', Buffer.concat([PACKED, Buffer.from('garbage')]), 1_000, GARBAGE],
    ['garbage between', Buffer.concat([PACKED, Buffer.from('x'), behind]), 1_001, GARBAGE],
    ['half a magic number', Buffer.concat([PACKED, Buffer.from([0x1f, 0x8b])]), 1_000, GARBAGE],
    [
      'a broken header',
      Buffer.concat([PACKED, Buffer.from([0x1f, 0x8b, 8, 0xff, 0, 0])]),
      1_000,
      ['has a damaged header', ...GARBAGE]
    ],
    ['a name that never ends', withHeader(8, Buffer.alloc(0)).subarray(0, 12), 0, ['has a damaged header', ...GARBAGE]],
    ['a header that is cut off', PACKED.subarray(0, 7), 0, ['has a damaged header']],
    ['a header without its flags', PACKED.subarray(0, 3), 0, ['has a damaged header']],
    [
      'a field without its length',
      withHeader(4, Buffer.alloc(0)).subarray(0, 10),
      0,
      ['has a damaged header', ...GARBAGE]
    ],
    [
      'a field with half its length',
      withHeader(4, Buffer.from([1])).subarray(0, 11),
      0,
      ['has a damaged header', ...GARBAGE]
    ],
    [
      'fields that are cut off',
      withHeader(4, Buffer.from([200, 0])).subarray(0, 14),
      0,
      ['has a damaged header', ...GARBAGE]
    ],
    ['a checksum that is cut off', PACKED.subarray(0, -3), 1_000, ['ends early']],
    ['another checksum', other(-8), 1_000, ['does not match its checksum']],
    ['another size', other(-4), 1_000, ['does not match its checksum']],
    [
      'another checksum, and a part behind it',
      Buffer.concat([other(-8), behind]),
      1_001,
      ['does not match its checksum']
    ]
  ]
  for (const [name, bytes, lines, damages] of table) {
    const found = await unpack(bytes)
    t.strictSame(found.damages, damages, name)
    t.equal(found.text.split('\n').length - 1, lines, name)
  }
  const cut = await unpack(half)
  t.strictSame(cut.damages, ['ends early'])
  const expected = gunzipSync(half, { finishFlush: 2 }).toString('latin1')
  t.equal(cut.text, `${expected}\n`, 'as much as zlib itself can unpack, and an end of line')
})

t.test('what is behind a damaged byte is lost, and nothing before it', async () => {
  const raw = Buffer.from(PACKED.subarray(10, -8))
  /** As an oracle: what zlib unpacks of longer and longer beginnings. */
  const whole = (length: number) => {
    try {
      return gunzipSync(PACKED.subarray(0, length), { finishFlush: 2 }).toString('latin1')
    } catch {
      return ''
    }
  }
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: raw.length - 1 }),
      fc.integer({ min: 1, max: 255 }),
      fc.constantFrom(100, 65_536),
      async (at, bits, size) => {
        const bytes = Buffer.from(PACKED)
        bytes[10 + at]! ^= bits
        const { text, damages } = await unpack(bytes, size)
        const before = whole(10 + at)
        if (!text.startsWith(before)) throw new Error(`${text.length} bytes, and not the first ${before.length}`)
        // The last bits of a part mean nothing.
        if (damages.length === 0 && text !== TEXT) throw new Error('no damage was noticed')
      }
    ),
    runs(100)
  )
})

t.test('random bytes are refused without an end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (bytes, isMember) => {
      const start = isMember ? [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3] : []
      await unpack(Buffer.from([...start, ...bytes]), 7)
    }),
    runs(100)
  )
  await unpack(Buffer.concat([PACKED, randomBytes(200_000), PACKED]))
})

t.test('a stored block that is changed is noticed by its checksum', async (t) => {
  const stored = deflateRawSync('hello\n', { level: 0 })
  const bytes = Buffer.from(gzipSync('hello\n', { level: 0 }))
  const at = bytes.indexOf('hello')
  t.ok(stored.includes('hello') && at > 0)
  bytes[at] = 'J'.charCodeAt(0)
  t.strictSame(await unpack(bytes), { text: 'Jello\n', damages: ['does not match its checksum'] })
})
