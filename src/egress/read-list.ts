import { shown } from '../lib/text.js'
import { type CsvRecord, readCsv } from './csv.js'

/** An address of yours. */
export interface EgressEntry {
  /** An address, a prefix, or an IPv4 range `a - b`. */
  readonly value: string
  /** What sends from there, such as `NAT gateway a`; becomes the name of a rule. */
  readonly name?: string | undefined
  /** For readers of the list; no form gets it. */
  readonly comment?: string | undefined
}

/** A list of your addresses: the text of a file (plain text, CSV or JSON), or its entries. */
export type EgressList = string | readonly (string | EgressEntry)[]

/** A line of a list, or an element, before its values are read. */
export interface Row {
  /** `line 3`, or `[2]` in a list of entries. */
  readonly path: string
  readonly line: number | undefined
  readonly value: unknown
  readonly name: unknown
}

/** What is wrong with a list as a whole, or with a row of it. */
export interface RowMistake {
  readonly path: string
  readonly line: number | undefined
  readonly value: unknown
  readonly message: string
  readonly fix: string
}

/** The most entries of a list; of a longer one, no more than one above is read. */
export const MOST_ENTRIES = 10_000

export interface Rows {
  readonly rows: readonly Row[]
  readonly mistakes: readonly RowMistake[]
}

/** Reads the rows of a list. The first line of a text decides which format it has. */
export function readRows(list: EgressList): Rows {
  if (typeof list !== 'string') {
    if (Array.isArray(list)) return readElements(list, (i) => ({ path: `[${i}]`, line: undefined }))
    const fix = 'Write the text of a file, or an array of addresses.'
    return {
      rows: [],
      mistakes: [{ path: '', line: undefined, value: list, message: `${shown(list)} is not a list.`, fix }]
    }
  }
  const text = list.replace(/^\uFEFF/, '')
  if (/^\s*[[{]/.test(text)) return readJson(text)
  const first = firstContent(text)
  return first === 'value' || /[,;\t]/.test(first) ? readTable(text) : readLines(text)
}

/** The first line that is neither empty nor a comment, without a comment behind it. */
function firstContent(text: string): string {
  const [, line = ''] = /^(?:[ \t]*(?:#.*)?(?:\r\n|\r|\n))*([^#\r\n]*)/.exec(text)!
  return line.trim()
}

/** Removes spaces and tabs around a value; any other white space is part of it, and refused. */
function trim(text: string): string {
  let start = 0
  let end = text.length
  while (text[start] === ' ' || text[start] === '\t') start++
  // A pattern for the end would take quadratic time where spaces stand in the middle.
  while (end > start && (text[end - 1] === ' ' || text[end - 1] === '\t')) end--
  return text.slice(start, end)
}

/** One entry a line, and its name behind a `#`. */
function readLines(text: string): Rows {
  const rows: Row[] = []
  for (const [i, content] of text.split(/\r\n|\r|\n/).entries()) {
    const hash = content.indexOf('#')
    const value = trim(hash < 0 ? content : content.slice(0, hash))
    const name = hash < 0 ? '' : content.slice(hash + 1).trim()
    if (value !== '') rows.push({ ...placeOf(i + 1), value, name: name === '' ? undefined : name })
    if (rows.length > MOST_ENTRIES) break
  }
  return { rows, mistakes: [] }
}

const placeOf = (line: number) => ({ path: `line ${line}`, line })

const COLUMNS = ['value', 'name', 'comment']

/** CSV with a header. */
function readTable(text: string): Rows {
  const { records, mistake } = readCsv(text, MOST_ENTRIES + 2)
  const [header, ...others] = records
  const refused = mistake === undefined ? [] : [{ ...mistake, ...placeOf(mistake.line), value: undefined }]
  if (header === undefined) return { rows: [], mistakes: refused }
  const columns = header.fields.map((field) => field.trim().toLowerCase())
  const isHeader = columns.every((column, i) => COLUMNS.includes(column) && columns.indexOf(column) === i)
  if (!isHeader || !columns.includes('value')) {
    const message = 'The first line is not the header of a list in CSV.'
    const fix = 'Begin with the line "value,name,comment" (the last two may be left out), or write one entry a line.'
    return { rows: [], mistakes: [{ ...placeOf(header.line), value: header.fields.join(','), message, fix }] }
  }
  const rows: Row[] = []
  const mistakes: RowMistake[] = []
  for (const record of others) {
    if (record.fields.length === columns.length) rows.push(rowOf(record, columns))
    else {
      const message = `The line has ${record.fields.length} fields, and the header ${columns.length}.`
      const fix = 'Quote a field that holds a comma, and write a comma for an empty field.'
      mistakes.push({ ...placeOf(record.line), value: record.fields.join(','), message, fix })
    }
  }
  return { rows, mistakes: [...mistakes, ...refused] }
}

function rowOf({ line, fields }: CsvRecord, columns: readonly string[]): Row {
  const name = columns.includes('name') ? fields[columns.indexOf('name')]!.trim() : ''
  return { ...placeOf(line), value: trim(fields[columns.indexOf('value')]!), name: name === '' ? undefined : name }
}

function readJson(text: string): Rows {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    const { message } = error as Error
    const [, position] = /at position (\d+)/.exec(message) ?? []
    const line = position === undefined ? undefined : text.slice(0, Number(position)).split('\n').length
    const place = line === undefined ? { path: '', line } : placeOf(line)
    return {
      rows: [],
      mistakes: [{ ...place, value: undefined, message: `It is not JSON: ${message}.`, fix: 'Mend it.' }]
    }
  }
  if (!Array.isArray(parsed)) {
    const message = `The JSON is an object with ${
      Object.keys(parsed as object)
        .slice(0, 5)
        .join(', ') || 'nothing'
    }, not an array.`
    const fix = `Write [{ "value": …, "name": … }], or only the values. 'moengage-allowlist egress from' reads what cloud tools print.`
    return { rows: [], mistakes: [{ path: '', line: undefined, value: undefined, message, fix }] }
  }
  const lines = elementLines(text)
  return readElements(parsed, (i) => placeOf(lines[i]!))
}

function readElements(elements: readonly unknown[], place: (i: number) => Pick<Row, 'path' | 'line'>): Rows {
  const rows: Row[] = []
  const mistakes: RowMistake[] = []
  for (const [i, element] of elements.entries()) {
    if (typeof element === 'string') rows.push({ ...place(i), value: trim(element), name: undefined })
    else if (typeof element !== 'object' || element === null || !('value' in element)) {
      const fix = 'Write { "value": …, "name": … }, or only the value, as a text.'
      mistakes.push({ ...place(i), value: element, message: `${shown(element)} is not an entry.`, fix })
    } else {
      const other = Object.keys(element).find((key) => !COLUMNS.includes(key))
      const { value, name } = element as { value: unknown; name?: unknown }
      if (other === undefined) rows.push({ ...place(i), value: typeof value === 'string' ? trim(value) : value, name })
      else {
        const message = `There is no field "${other}" in an entry.`
        mistakes.push({ ...place(i), value: element, message, fix: `Use ${COLUMNS.join(', ')}.` })
      }
    }
  }
  return { rows, mistakes }
}

/** The lines on which the elements of an array begin, in sound JSON. */
function elementLines(text: string): number[] {
  const lines: number[] = []
  let line = 1
  let depth = 0
  let isNext = false
  for (const [token] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{},\n]|[^\s"[\]{},]+/g)) {
    if (token === '\n') line++
    else {
      if (isNext && token !== ']') {
        lines.push(line)
        isNext = false
      }
      if (token === '[' || token === '{') depth++
      else if (token === ']' || token === '}') depth--
      if (depth === 1 && (token === ',' || token === '[')) isNext = true
    }
  }
  return lines
}
