import t from 'tap'
import { PageError, SnapshotError } from '../../src/core.js'
import { importPage } from '../../src/help-page/import-page.js'
import { about, page } from './pages.js'

const MEGABYTE = 1_000_000
const filled = (text: string, length = MEGABYTE) => text.repeat(Math.ceil(length / text.length))
const unbroken = (text: string) => filled(text, 500_000)
const sound = page('SMS | DC-01 | 3.6.251.95')

/** What becomes of a page. Each of these pages would take minutes, or the stack, without bounds: tap's time-out is the test. */
function outcome(text: string): string {
  try {
    importPage(text, about)
    return 'read'
  } catch (error) {
    if (error instanceof PageError) return error.message.split('\n')[0]!
    if (error instanceof SnapshotError) return 'unsound'
    throw error
  }
}

t.test('a hostile page in HTML is refused soon', async (t) => {
  const html = (text: string) => `<!doctype html><html><body>${text}`
  const table = '<table><tr><th>Channel<th>Data Center<th>IPs</tr>'
  const pages: [what: string, text: string, outcome: RegExp][] = [
    ['nested blocks', filled('<div>', 100_000 * 5), /nests its elements deeper than 500/],
    ['nested formatting', Array.from({ length: 50_000 }, (_, i) => `<b id=${i}>`).join(''), /deeper than 500/],
    ['nested tables', filled('<table><tr><td>'), /deeper than 500/],
    ['nested lists', filled('<li><ul>'), /deeper than 500/],
    [
      'formatting that is opened again in every block',
      `<div>${Array.from({ length: 400 }, (_, i) => `<b id=${i}>`).join('')}</div>${filled('<div>x</div>')}`,
      /more than 250000 elements/
    ],
    ['a million brackets', filled('<'), /no table/],
    [
      'a tag of a hundred thousand attributes',
      `<a ${Array.from({ length: 100_000 }, (_, i) => `a${i}`).join(' ')}>`,
      /no table/
    ],
    ['many elements', `${table}${filled('<tr>')}</table>`, /more than 250000 elements/],
    ['many rows', `${table}${filled('<tr>', 100_000)}</table>`, /more than 20000 rows/],
    ['wide spans', `${table}<tr>${'<td colspan=1000>'.repeat(1000)}</table>`, /more than 50 columns/],
    ['high spans', `${table}${'<tr><td rowspan=65534>'.repeat(40)}</table>`, /no table/],
    [
      'a header of a megabyte that spans every row',
      `<table><tr><td rowspan=20000>${filled('IP (old) ')}<td rowspan=20000>DC${'<tr><td>a'.repeat(15_000)}</table>`,
      /no table/
    ],
    ['a cell of a megabyte', `${table}<tr><td>SMS<td>DC-01<td>${filled('3.6.251.95 ')}</table>`, /One cell/],
    [
      'a name of brackets',
      `${table}<tr><td>${filled('(')}<td>${filled('dc-01 - ')}<td>${filled('same ips ')}</table>`,
      /3 cells/
    ],
    [
      'a cell of titles',
      `${table}<tr><td>SMS<td>DC-01<td>${filled('3.6.251.95 <b title="x">a</b>')}</table>`,
      /One cell/
    ],
    ['a cell of raised digits', `${table}<tr><td>SMS<td>DC-01<td>${filled('1<sup>1</sup>')}</table>`, /One cell/],
    ['raised digits that nest', `${table}<tr><td>SMS<td>DC-01<td>${filled('1<sup>', 2400)}</table>`, /One cell/],
    ['headings that nest', `${'<div role=heading>'.repeat(450)}${filled('x ')}`, /no table/],
    ['summaries that nest', `${'<details><summary>'.repeat(230)}${filled('x ')}`, /never closed/],
    ['terms that nest', `${'<dl><dt>'.repeat(230)}${filled('x ')}`, /never closed/],
    ['drawings that nest', `${table}<tr><td>SMS<td>DC-01<td>${'<svg>'.repeat(400)}${filled('x ')}`, /never closed/],
    ['a text above a table that points to it', `${filled('these old IPs are retired; ')}:${table}</table>`, /One cell/],
    ['a text above a table that says to remove', `${filled('and remove all of the ')}:${table}</table>`, /no table/],
    ['a text above a table of addresses', `${filled('ips to ')}:${table}</table>`, /no table/],
    ['a heading of verbs', `<h2>${filled('block a blocked ip to ')}</h2>${table}</table>`, /no table|One cell/],
    [
      'a text of requests that are turned',
      `${filled('do not use these ips drop ')}to call:${table}</table>`,
      /no table|One cell/
    ],
    ['a text of blocklists', `${filled('add these ips to your block ')}:${table}</table>`, /no table|One cell/],
    ['a heading of lists to drop into', `<h2>${filled('(add, drop the ')}</h2>${table}</table>`, /no table|One cell/],
    [
      'a style of sizes',
      `<div style="${filled('overflow:hidden;width:0;min-width:0;')}">${table}</table></div>`,
      /One cell|no table/
    ],
    ['a style of comments', `<div style="${filled('/*')}">${table}</table>`, /no table|never closed/],
    ['a text above a table', `${filled("n't old ")}:${table}</table>`, /no table/],
    ['a comment without end', `<!--${filled('<!--')}`, /a comment never ends/],
    ['comments before the page', `${filled('<!---->')}<table>`, /never closed/]
  ]
  for (const [what, text, expected] of pages) t.match(outcome(html(text)), expected, what)
  t.match(outcome(filled('<!---->', 500_000)), /no table/)
})

t.test('a hostile page in Markdown is refused soon, or read', async (t) => {
  const pages: [what: string, text: string, outcome: RegExp][] = [
    ['a million bars', filled('|'), /longer than 524288 characters of Markdown/],
    ['many bars', unbroken('|'), /no table/],
    ['a row of many bars', `${sound}${unbroken('|')}`, /cells more than its header/],
    [
      'a header of many bars',
      `${unbroken('|a').slice(0, 250_000)}\n${unbroken('|-').slice(0, 250_000)}|`,
      /more than 50 columns/
    ],
    ['many rows', `${sound}${filled('|a|b|c|\n', 170_000)}`, /more than 20000 rows/],
    ['brackets', unbroken('<'), /no table/],
    ['open tags', unbroken('<a '), /no table/],
    ['emphasis without end', unbroken('*a_'), /no table/],
    ['emphasis without end in short lines', unbroken(`${'*a_'.repeat(300)}\n\n`), /no table/],
    ['links without end', unbroken('[a]('), /no table/],
    ['images without end', unbroken('!['), /no table/],
    ['code without end', unbroken('`a'), /no table/],
    ['code of every length', Array.from({ length: 900 }, (_, i) => `${'`'.repeat(i)}a`).join(''), /no table/],
    ['nested quotes', unbroken('> '), /nests lists or quotes too deep/],
    ['nested lists', Array.from({ length: 600 }, (_, i) => `${'  '.repeat(i)}- a`).join('\n'), /too deep/],
    ['nested lists in a line', `${unbroken('- ')}a`, /too deep/],
    ['comments without end', unbroken('{/*'), /never ends/],
    ['comments', unbroken('{/**/}'), /no table/],
    ['attributes without end', unbroken('<A b={'), /tag of a component cannot be read/],
    ['attributes without end in HTML', unbroken('<a b={'), /no table/],
    ['strings without end', unbroken(`<a b={"${'\\\\"'.repeat(100)}`), /no table/],
    ['components without text', unbroken('<A></A>'), /no table/],
    ['names of components', `x <${unbroken('A')}`, /no table/],
    ['a name of a component behind a tag', `<b> <${unbroken('A')}`, /no table/],
    ['marks of lists', unbroken('- 1. <A\n'), /tag of a component cannot be read|no table/],
    ['attributes of braces', unbroken(' a={{{}'), /no table/],
    ['fences', unbroken('```\n~~~\n'), /no table/],
    ['definitions', unbroken('[a]: b\n'), /no table/],
    ['addresses of mail', unbroken('a@a.'), /no table/],
    ['addresses in prose', `${unbroken('1.1.1.1 ')}\n\n${sound.slice(0, 1)}`, /no table/],
    ['spaces', `${unbroken(' ')}x`, /no table|too deep/],
    ['line ends', unbroken('\n'), /no table/],
    ['a cell that is too long', page(`SMS | DC-01 | ${filled('3.6.251.95 ', 30_000)}`), /One cell/]
  ]
  for (const [what, text, expected] of pages) t.match(outcome(text), expected, what)
  t.match(outcome(filled('x', 5_000_001)), /longer than 5000000 characters/)
})

t.test('names of every object are names like others', async (t) => {
  const { snapshot } = importPage(
    page('SMS | DC-01 | 3.6.251.95', '__proto__ | DC-01 | NA', 'constructor | DC-01 | NA'),
    about
  )
  t.strictSame(
    snapshot.unknown?.map(({ name }) => name),
    ['proto', 'constructor'],
    'Markdown takes the underscores for emphasis'
  )
})
