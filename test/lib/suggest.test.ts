import fc from 'fast-check'
import t from 'tap'
import { editDistance, nearest, suggestion } from '../../src/lib/text.js'
import { runs } from '../support/properties.js'

t.test('the nearest name is suggested where a slip of the keyboard explains it', async (t) => {
  const names = ['connector', 'sms', 'segment-sync', 'file-segment']
  const table: [text: string, expected: string | undefined][] = [
    ['conector', 'connector'],
    ['CONNECTOR', 'connector'],
    ['segmentsync', 'segment-sync'],
    ['smss', 'sms'],
    ['SMS', 'sms'],
    ['same', undefined],
    ['rcs', undefined],
    ['file', 'file-segment'],
    ['segment', undefined],
    ['fi', undefined],
    ['', undefined],
    ['streams', undefined],
    ['connector'.repeat(6), undefined]
  ]
  for (const [text, expected] of table) t.equal(nearest(text, names), expected, text)
  t.equal(suggestion('conector', names), 'Did you mean "connector"?')
  t.equal(suggestion('rcs', names), 'Use one of: connector, sms, segment-sync, file-segment.')
})

t.test('the distance counts edits: it is a metric, and one edit changes it by one at most', async (t) => {
  const text = fc.string({ maxLength: 12, unit: fc.constantFrom('a', 'b', 'c') })
  fc.assert(
    fc.property(text, text, text, fc.nat({ max: 12 }), (a, b, c, at) => {
      t.equal(editDistance(a, b), editDistance(b, a))
      t.equal(editDistance(a, b) === 0, a === b)
      t.ok(editDistance(a, c) <= editDistance(a, b) + editDistance(b, c))
      const edited = `${a.slice(0, at)}x${a.slice(at)}`
      t.equal(editDistance(a, edited), 1)
      t.ok(editDistance(a, b) >= Math.abs(a.length - b.length) && editDistance(a, b) <= Math.max(a.length, b.length))
    }),
    runs(200)
  )
})
