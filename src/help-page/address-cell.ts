import type { Channel } from '../directory/names.js'
import type { Cell } from '../directory/snapshot.js'
import { Prefix, readPrefix } from '../ip/prefix.js'
import { BULLET } from './cell-text.js'
import { LONGEST_ADDRESS_CELL, type Unreadable, unreadable, withoutBrackets, withoutFootnotes } from './marks.js'

/** An address cell that was read as a whole. */
export interface AddressCell {
  readonly addresses: Cell
  /** Words in brackets that were left aside. */
  readonly remarks: readonly string[]
}

/** Whose addresses "the channel's" are. */
const CAMPAIGN_CHANNELS: readonly Channel[] = ['connector', 'sms', 'whatsapp', 'email', 'push']

const NOT_PUBLISHED = /^(?:n[./\s]?a\.?|none|nil|not applicable|not available)$/i
/** Alone only: with a footnote it is the bullet of an item that got lost. */
const DASH = /^(?:-{1,3}|[–—−])$/
const DERIVED = /\bsame\b[^.]*\b(?:ips?|addresses)\b[^.]*\bchannels?\b/i
/** Words that may turn the meaning of a sentence or of the address before them. */
const TURNS =
  /\b(?:no|not|never|except|excluding|without|former|formerly|old|deprecated|retired|removed|unused|until|only|other|different)\b|n't\b|n’t\b/i
const ITEM = new RegExp(`^(?:[${BULLET}·▪◦‣●○*+–—-]|\\d{1,2}[.)](?=\\s|$))\\s*`)

/**
 * Reads a cell of addresses. Everything in it has to be understood: what is left over is never dropped.
 */
export function readAddressCell(text: string): AddressCell | Unreadable {
  if (text.length > LONGEST_ADDRESS_CELL) return unreadable('It is too long for a list of addresses.')
  if (DERIVED.test(text) && !TURNS.test(text) && !/\d/.test(text)) {
    return { addresses: { derivedFrom: CAMPAIGN_CHANNELS }, remarks: [] }
  }
  const remarks: string[] = []
  const bare = withoutBrackets(withoutFootnotes(text), (words) => {
    const keep = words.trim() === '' || /\d/.test(words) || TURNS.test(words)
    if (!keep) remarks.push(words.trim())
    return keep
  })
  if (bare.trim() === '') return unreadable('The cell is empty: its text got lost.')
  if (DASH.test(text.replace(BULLET, '')) || NOT_PUBLISHED.test(bare.replace(BULLET, '').trim()))
    return { addresses: 'NA', remarks }
  const addresses = new Set<string>()
  for (const line of linesOf(bare)) {
    const item = line.replace(ITEM, '')
    if (item === '') return unreadable('An item of its list is empty: its text got lost.')
    for (const part of item.split(/[,;]/)) {
      if (part.trim() === '') return unreadable('There is nothing behind or before a comma: its text got lost.')
      for (const word of part.split(/\s+|\band\b|&/)) {
        if (word === '') continue
        const prefix = readPrefix(word)
        if (!(prefix instanceof Prefix)) return unreadable(prefix.message)
        addresses.add(prefix.toShortString())
      }
    }
  }
  return { addresses: [...addresses], remarks }
}

/** The lines that hold something; a comma at the end of all but the last only separates. */
function linesOf(text: string): string[] {
  const lines = text
    .replaceAll(BULLET, `\n${BULLET}`)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  return lines.map((line, i) => (i < lines.length - 1 ? line.replace(/[,;]$/, '') : line))
}
