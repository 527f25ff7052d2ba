import { DATA_CENTERS, type DataCenter, readDataCenter } from '../directory/names.js'
import { BULLET } from './cell-text.js'
import { LONGEST_NAME_CELL, type Unreadable, unreadable, withoutBrackets, withoutFootnotes } from './marks.js'

/** The data centers of a row: those that we know, and names of those that we don't. */
export type DataCenters = readonly (DataCenter | { readonly unknown: string })[]

const ALL = /^all(?: of)?(?: the)?(?: moengage)?(?: data[ -]?cent(?:er|re)s?| dcs?)?\s*(?::\s*(.+)|\((.+)\))?$/is
const RANGE = /^(.*\d)\s*(?:[-–—−]|\bto\b|\bthrough\b)\s*((?:dc|data[ -]?cent(?:er|re))?[-_ ]?\d+)$/i
const NUMBERED = /^(?:dc|data[ -]?cent(?:er|re))[-_ ]?(\d{1,5})$/i
const UNKNOWN = /^(?:dc|data[ -]?cent(?:er|re))[-_ ]?[a-z\d]{1,20}$/i
/** More than these would hardly be listed in a range. */
const MOST_IN_RANGE = 20

/**
 * Reads a cell that names data centers: one, several, a range (which means just those from its first to its last), or all.
 */
export function readDataCenterCell(text: string): DataCenters | Unreadable {
  if (text.length > LONGEST_NAME_CELL) return unreadable('It is too long for the name of a data center.')
  const bare = withoutFootnotes(text).replaceAll(BULLET, '\n').trim()
  if (bare === '') return unreadable('The data center is missing.')
  const [all, afterColon, inBrackets] = ALL.exec(bare) ?? []
  const named = afterColon ?? inBrackets
  if (all !== undefined && named === undefined) return DATA_CENTERS
  const list = withoutBrackets(named ?? bare, (words) => /\d|\b(?:not|except|without|only)\b/i.test(words)).trim()
  const found = readOne(list) ?? readList(list)
  return found ?? unreadable('It is not the name of a data center.')
}

function readList(text: string): DataCenters | undefined {
  const parts = text.split(/[,;/&+\n]|\band\b/i).map((part) => part.trim())
  const found = parts.filter((part) => part !== '').map((part) => readOne(part))
  return found.length > 0 && found.every((part) => part !== undefined) ? found.flat() : undefined
}

function readOne(text: string): DataCenters | undefined {
  const known = readDataCenter(text)
  if ('ok' in known) return [known.ok]
  const [, first, last] = RANGE.exec(text) ?? []
  if (first !== undefined && last !== undefined) return readRange(first.trim(), last)
  const [, number] = NUMBERED.exec(text) ?? []
  if (number !== undefined) return [byNumber(Number(number))]
  return UNKNOWN.test(text) ? [{ unknown: text.toUpperCase().replaceAll(/[_ ]/g, '-') }] : undefined
}

function readRange(first: string, last: string): DataCenters | undefined {
  const [from, to] = [NUMBERED.exec(first)?.[1], /\d+$/.exec(last)?.[0]].map(Number) as [number, number]
  if (!(from <= to && to - from < MOST_IN_RANGE)) return undefined
  return Array.from({ length: to - from + 1 }, (_, i) => byNumber(from + i))
}

/** A data center that we know, or the name that MoEngage would give to one of this number. */
function byNumber(number: number): DataCenters[number] {
  const known = readDataCenter(`${number}`)
  return 'ok' in known ? known.ok : { unknown: `DC-${`${number}`.padStart(2, '0')}` }
}
