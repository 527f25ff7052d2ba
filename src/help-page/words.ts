import { quoted } from '../lib/text.js'
import { BULLET, RAISED, type Said, STRIKE } from './cell-text.js'

/** Why a text could not be read. */
export interface Unreadable {
  /** One sentence. */
  readonly unreadable: string
}

export const unreadable = (sentence: string): Unreadable => ({ unreadable: sentence })
export const isUnreadable = (value: unknown): value is Unreadable =>
  typeof value === 'object' && value !== null && 'unreadable' in value

/** An address or prefix, or something that looks like a damaged one. */
export const looksLikeAddress = (text: string) => /\d{1,3}(?:\.\d{1,3}){2}|[\da-f]{1,4}:[\da-f:]*:/i.test(text)

/**
 * A footnote's mark behind a word: `[1]`, `[^a]`, `(2)`, `*`, `†`, `¹`. A number above 7 in brackets may be the length of a prefix,
 * and a mark behind a colon, a dot or a slash stands for the rest of an address.
 */
const FOOTNOTE =
  /(?:\[\^\^?[\w*†‡§]{1,3}\]|\[(?:[1-7]|[a-z]|[ivx]{1,3}|[*†‡§]{1,3})\]|\([1-7]\)|(?<![.:/])(?:[*†‡§]{1,3}|[¹²³⁴⁵⁶⁷]))(?=[\s,;]|$)/gi

/** A text without the marks of footnotes. */
export const withoutFootnotes = (text: string) => text.replaceAll(FOOTNOTE, ' ')

const RAISED_NUMBER = new RegExp(
  `(?<![\\da-f.:/])([\\da-f.:/]{1,50})(?:${RAISED.replaceAll(/\W/g, '\\$&')}(\\d{1,3})\\]|([¹²³⁴⁵⁶⁷]))`,
  'gi'
)

/**
 * Why a raised number cannot be read: it may be the mark of a footnote, or the end of what stands before it.
 *
 * @param isWhole whether a text makes sense with the number as its end
 */
export function ambiguousEnd(text: string, isWhole: (joined: string) => boolean): Unreadable | undefined {
  for (const [, before, raised, character] of text.matchAll(RAISED_NUMBER)) {
    const number = raised ?? character!.normalize('NFKC')
    const joined = `${before}${number}`
    if (!isWhole(joined)) continue
    return unreadable(
      `The raised ${number} behind ${quoted(before!)} may be a footnote, or the end of ${quoted(joined)}.`
    )
  }
  return undefined
}

/** A text without the words in brackets that do not have to be read. */
export interface WithoutBrackets {
  readonly rest: string
  /** The words that were in brackets. */
  readonly remarks: readonly string[]
}

/**
 * Takes the words in brackets out of a text.
 *
 * @param hasToBeRead whether words in brackets stay
 */
export function takeBrackets(text: string, hasToBeRead: (words: string) => boolean): WithoutBrackets {
  const remarks: string[] = []
  let rest = text
  // From the inside out. Brackets that nest deeper stay, and are refused later.
  for (let depth = 0; depth < 3; depth++) {
    rest = rest.replaceAll(/\(([^()]*)\)/g, (whole, words: string) => {
      if (hasToBeRead(words)) return whole
      const remark = words.replaceAll(/\s+/g, ' ').trim()
      if (remark !== '' && !/^[1-7]$/.test(remark)) remarks.push(remark)
      return ' '
    })
  }
  return { rest, remarks }
}

/** Nouns for what a table lists. */
export const ADDRESSES = '(?:ips?|cidrs?|ranges?|address(?:es)?|lists?)'
/** Words that say of what they stand beside, in a title as in a sentence, that it is over. */
export const OVER = `deprecated|deprecating|retired|retiring|decommissioned|decommissioning|obsoleted?|discontinued|defunct|outdated|superseded|withdrawn|revoked|replaced|terminated|stopped|ceased|ended|invalid|unused|compromised|old|older|former|previous|legacy|past|(?:removed|disabled|suspended|expired|inactive|archived|historic(?:al)?)(?! (?:users?|customers?|profiles?|contacts?|events?|data(?! cent)|devices?|accounts?|messages?)\\b)|sunset(?:ted|ting)?|(?:phased|phasing)[- ]out|end[- ]of[- ](?:life|support)|eol|out[- ]of[- ](?:date|use|service)|going away|(?:scheduled|due|planned|marked) for removal|pending removal|(?:deleted|unsupported)(?=\\W*$|\\s*[(),:;.–—-]| (?:(?:[\\w-]+ )?${ADDRESSES}|on|in|since|as|by|from)\\b)`
/** In a sentence these may stand with what is not over: "previously announced", "until further notice", "used instead". */
export const PAST = `${OVER}|formerly|previously|except|excluding|excludes?|instead|until|till|before \\d{4}`
const ENDING = `no(?!-)|not|never|cannot|without|unlike|${PAST}`

/** Verbs for what is done to an address that is not to be used, and their participles. What is dropped into a list is added. */
export const REMOVE =
  '(?:remove|delete|revoke|block(?! storage)|deny|reject|drop(?![^.;:]{0,60} (?:into|(?:in|on|to) (?:\\w+ )?(?:allow|white)[- ]?list))|ban|disallow|(?:black|block|deny)[- ]?list)'
export const REMOVED =
  '(?:removed|deleted|revoked|blocked|denied|rejected|dropped|banned|disallowed|(?:black|block|deny)[- ]?listed)'
/** The verbs for the opposite, and their participles. */
export const ALLOW = '(?:allow|allow[- ]?list|whitelist|use|add|trust|accept|permit)'
export const ALLOWED = '(?:allowed|allow[- ]?listed|whitelisted|used|added|trusted|accepted|permitted)'
/** "IPs to remove", "addresses that you need to block". With another object behind the verb ("IPs to block all bots") it is about that one. */
export const TO_REMOVE = `${ADDRESSES} (?:[\\w-]+ ){0,4}?to (?:${REMOVE}|be ${REMOVED})(?=\\W*$|\\s*[(,:–—-]| (?:from|in|on|at|by|after|before)\\b)`
/** A removal without an object, which is then what the text stands at: "Remove", "to be deleted by 1 May". */
export const TITLE_OF_REMOVAL = `^(?:(?:please |to )?${REMOVE}|(?:to be )?${REMOVED})(?=\\W*$| (?:(?:now|soon|it|them)\\b|(?:from|in) your\\b|(?:by|on|after|before) (?:\\w+ )?\\d))`
/** Behind the addresses in a title nothing follows that they only tell apart: "Remove IP restrictions" removes restrictions. */
const ADDRESSES_ALONE = `${ADDRESSES}(?=\\W*$|\\s*[(),:;.–—-]| (?:from|in|on|at|by|after|before|of|for|below|above|and|or|that|which|you|we|to|listed|as|now|if|until)\\b)`
/** What is to be avoided or explained is no list of addresses that are blocked. */
const NO_STATE =
  '(?<!\\b(?:why (?:are|is)|avoid(?:ing)?|prevent(?:ing)?|troubleshoot(?:ing)?|fix(?:ing)?|unblock(?:ing)?|if) (?:[\\w-]+ ){0,3})'
/** Behind these a verb of removal is one of several things that readers may do ("Add/remove IPs"), or no verb ("CIDR block"). */
const NO_REQUEST = `\\b(?:(?:or|how to|ip|cidr|address|network) |(?:${ALLOW}|edit|update|change|view|manage)(?:\\s?[/&+,]\\s?|,? and ))`
/** Between a verb of removal and addresses: it is about other addresses, or about something else by their means. */
const OTHERS = '(?:others?|unknown|unlisted|untrusted|by|with|using)\\b'
/** What says in a title that addresses are not to be used. */
const UNWANTED = [
  `${NO_STATE}${REMOVED}(?: [\\w-]+)? ${ADDRESSES_ALONE}`,
  `${NO_STATE}${ADDRESSES} ${REMOVED}\\b`,
  `(?<!${NO_REQUEST}|\\b(?:not|n['’]t|never) (?:to )?)${REMOVE}(?: (?!${OTHERS}|(?:and|then) )[\\w-]+){0,3}? (?:${ADDRESSES_ALONE}|(?:these|following|below)\\b)`,
  TO_REMOVE,
  TITLE_OF_REMOVAL,
  `${ADDRESSES} for removal\\b`,
  `(?<![\\w-] )removal of (?:[\\w-]+ ){0,3}?${ADDRESSES_ALONE}`,
  `^(?:ip )?removals?(?=\\W*$|\\s*[(,:;–—-]| (?:on|in|by|after)\\b)`,
  `(?<!\\b(?:cidr|firewall) |\\b(?:allow|white)[- ]?(?:lists?)?(?:\\s?[/&+,]\\s?| (?:and|or|vs\\.?|versus) ))(?:black|block|deny)[- ]?lists?(?=\\W*$|\\W+\\d{4}\\b|\\s*[(:–—-])`
].join('|')
/** Words that say that something does not hold, holds no longer, or is not to be used. */
const ENDED = new RegExp(`\\b(?:(?:${ENDING}|\\w+n['’]t)\\b|${UNWANTED})`, 'im')
/** In brackets these may also say that something does not hold, or not for the rest. */
const REVERSING = `${ENDING}|only|other|different`
/** What became of the row. "(sent, dropped)" and "(migrated data)" say what the channel does. */
const GONE = `migrated|moved|${REMOVED}`
const REVERSING_NAME = new RegExp(
  `\\b(?:(?:${REVERSING}|\\w+n['’]t)\\b|${UNWANTED})|^(?:(?:now|already|has|have|been|is|are|was|were) )*(?:${GONE})(?=\\W*$|\\s*[,;]| \\d| (?:on|in|by|to|since|as|from)\\b)`,
  'im'
)
/** "Remove" in brackets behind an address or data center means that one. Behind a name it may be what the channel does: "(add, remove)". */
const REVERSING_CELL = new RegExp(`\\b(?:(?:${REVERSING}|${GONE}|remove|delete|\\w+n['’]t)\\b|${UNWANTED})`, 'im')

/** Whether a word in brackets may reverse the meaning of the address or data center before it. */
export const reverses = (words: string): boolean => REVERSING_CELL.test(words)

export const STRUCK = unreadable('Its text is struck out.')

/** Why a name, a header or a label does not mean what it names: it is struck out, or a word may reverse its meaning. */
export const reversal = (text: string): Unreadable | undefined => reversalBy(ENDED, text)

/** The same of a heading, which is a sentence more often: "IPs that never change" says nothing against them. */
export const reversalOfHeading = (text: string): Unreadable | undefined => reversalBy(ENDED_IN_TITLE, text)

/** Whether a heading that is not refused has a word that may reverse its meaning. A person has to read it. */
export const mayBeReversed = (heading: string): boolean => ENDED.test(heading)

function reversalBy(pattern: RegExp, text: string): Unreadable | undefined {
  if (text.includes(STRIKE)) return STRUCK
  const inBrackets = [...text.matchAll(/\(([^()]*)\)/g)].map(([, words]) => words!.trim()).join('\n')
  const [word] = pattern.exec(text) ?? REVERSING_NAME.exec(inBrackets) ?? []
  return word === undefined ? undefined : mayReverse(word)
}

const mayReverse = (words: string) =>
  unreadable(`The ${words.includes(' ') ? 'words' : 'word'} ${quoted(words)} may reverse its meaning.`)

/** Words of titles that speak against the text they belong to. "Not sorted" and "not applicable" do not. */
const ENDED_IN_TITLE = new RegExp(
  `\\b(?:(?:${PAST}|(?:no|not|never|cannot|\\w+n['’]t) (?:be )?(?:longer|in use|valid|active|any ?more|${ALLOW}|${ALLOWED}))\\b|${UNWANTED})`,
  'im'
)

/** Why a text does not mean what it names: a title in its tags says clearly that it is over. */
export function reversalByTitles({ titles }: Pick<Said, 'titles'>): Unreadable | undefined {
  const [word] = titles.flatMap((title) => ENDED_IN_TITLE.exec(title)?.[0] ?? [])
  return word === undefined ? undefined : mayReverse(word)
}

const addressesIn = (text: string) => (text.match(/[\da-f][\da-f.:/]*[\da-f]/gi) ?? []).filter(looksLikeAddress)

/** Why a text may lack an address: a title in its tags has one that it has not. */
export function strangeAddress({ text, titles }: Said): Unreadable | undefined {
  const known = new Set(addressesIn(text))
  const address = titles.flatMap(addressesIn).find((address) => !known.has(address))
  return address === undefined
    ? undefined
    : unreadable(`A title in its tags has the address ${quoted(address)}, which its text lacks.`)
}

const MARK = `[${BULLET}·▪◦‣●○*+–—-]`
const MARKED = new RegExp(`^${MARK}`)
const NUMBERED = /^\d{1,2}[.)](?=\s|$)/

/**
 * The items of a list, without their marks. A list may have lost its line breaks: `- a - b - c`. Without the first mark, `a - b`
 * may be a range, and stays as it is.
 */
export function itemsOf(text: string): string[] {
  return linesOf(text).flatMap((line) => {
    const [mark] = MARKED.exec(line) ?? NUMBERED.exec(line) ?? []
    if (mark === undefined) return [line]
    const next = mark.length === 1 ? new RegExp(`\\s+\\${mark}\\s*`) : /\s+\d{1,2}[.)](?:\s+|$)/
    return line
      .slice(mark.length)
      .split(next)
      .map((item) => item.trim())
  })
}

/** The lines of a cell that hold something. */
const linesOf = (text: string) =>
  text
    .replaceAll(BULLET, `\n${BULLET}`)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

/** No name on the page is longer. Layout tables have whole pages in one cell. */
export const MAX_NAME = 2000
