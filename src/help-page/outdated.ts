import { type Unreadable, unreadable } from './words.js'

const OVER =
  'deprecated|retired|decommissioned|obsoleted?|discontinued|defunct|outdated|superseded|withdrawn|revoked|removed|replaced|disabled|terminated|stopped|expired|inactive|unused|archived|historic(?:al)?|old|older|former|previous|legacy|past|sunset(?:ted|ting)?|phased[- ]out|end[- ]of[- ](?:life|support)|(?:formerly|previously) used'
const PARTICIPLE = 'deprecating|retiring|decommissioning|phasing[- ]out'
const PAST_USE = '(?<=\\b(?:was|were|been) )(?:in use|used(?! (?:for|by|to)\\b))'
const ANY_MORE = "(?:not|\\w+n['’]t) [\\w ]{0,30}any ?(?:more|longer)"
const BELOW = '(?:these|this (?:list|table|section)|following|below)'
const ADDRESSES = '(?:ips?|cidrs?|ranges?|address(?:es)?|lists?)'
const VERB = `(?:(?<!(?:\\bnot|n['’]t|\\bnever) )(?:been?|being)|is|are|was|were|became|reach(?:ed)?)`

/** Sentences that say of the addresses below them, in clear words, that they are over. */
const SAYS_OVER = any(
  `\\b${BELOW}\\b[^.;:]{0,60} ${VERB} (?:(?:now|all|already|being|the|our|from|\\w+ly|moengage(?:['’]s)?) ){0,3}(?:${OVER}|${PARTICIPLE}|${PAST_USE})\\b`,
  `\\b${BELOW}\\b[^.;:]{0,60} (?:no longer|${ANY_MORE})\\b`,
  `\\bno longer [\\w ]{0,40}\\b${BELOW}\\b`,
  `\\b(?:not|\\w+n['’]t) [\\w ]{0,30}\\b${BELOW} [\\w ]{0,30}any ?(?:more|longer)\\b`
)
/** A text that heads the addresses below it like a title, and says that they are over. */
const HEADS_OVER = any(
  `^(?:(?:the|our|all|list of|moengage(?:['’]s)?) )*(?:${OVER})(?: [\\w-]+){0,3}? ${ADDRESSES}(?:\\W*$|\\s?[(,–—-]| (?:of|for|in|on|from|by|until|before|since|as)\\b(?!.*\\b(?:is|are|can|must|should|will|stay)\\b))`,
  `^(?:${OVER})(?:\\W*$| (?:on|in|since|as)\\b)`,
  `^(?:[\\w-]+ ){0,3}${ADDRESSES},? (?:(?:that|which) )?(?:(?:is|are|was|were|have been|has been) )?(?:no longer|${ANY_MORE}|${OVER})\\b`,
  '^(?:no longer|not) (?:used|in use|valid|active)\\b'
)
/** What follows says when, or whether, something is so. */
const CONDITION = /\b(?:if|when|whether|unless|once)\b/i

function any(...patterns: readonly string[]): RegExp {
  return new RegExp(patterns.join('|'), 'i')
}

/** Why a table is not taken below a text: it says clearly that the addresses below it are over. */
export function outdatedBy(text: string): Unreadable | undefined {
  const sentences = text.split(/(?<=[.!?]) /).filter((sentence) => !CONDITION.test(sentence))
  const last = sentences.at(-1) ?? ''
  const isOver = sentences.some((sentence) => SAYS_OVER.test(sentence)) || HEADS_OVER.test(last)
  return isOver ? unreadable('The text directly above the table says that its addresses are over.') : undefined
}
