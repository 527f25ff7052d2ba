import {
  ADDRESSES,
  ALLOW,
  ALLOWED,
  OVER,
  REMOVE,
  REMOVED,
  TITLE_OF_REMOVAL,
  TO_REMOVE,
  type Unreadable,
  unreadable
} from './words.js'

const NOT = "(?: not|n['’]t)"
const USED_BEFORE = '(?:formerly|previously) used'
const PAST_USE = '(?<=\\b(?:was|were|been) )(?:in use|used(?! (?:for|by|to)\\b))'
const ANY_MORE = "(?:not|\\w+n['’]t) [\\w ]{0,30}any ?(?:more|longer)"
/** "So that your requests are no longer blocked" speaks of requests. */
const NO_LONGER = `(?:no longer(?! (?:being )?${REMOVED})|${ANY_MORE})`

/** "Older versions of this list" are not what stands below. */
const POINTER =
  '\\b(?<!\\b(?:versions?|cop(?:y|ies)|editions?|revisions?|screenshots?) of (?:the )?)(?:these|this (?:list|table|section)|following|below)\\b'
/** Words for the addresses below. "IPs that are not in this list" and "IPs other than these" are others. */
const BELOW = `(?<!\\b(?:not|n['’]t)(?: \\w+)? (?:from|in|on|of|among) (?:the )?|\\b(?:other than|outside(?: of)?|except(?: for)?|besides|apart from) (?:the )?)${POINTER}`
/** The rest of a clause: behind these words another one begins, about other addresses or about requests. */
const OTHER_CLAUSE = `(?:,|(?<!\\b(?:these|following|below|${ADDRESSES}) )(?:and|but|while|whereas)) (?:(?:all|any|every|the|those|requests|traffic|calls|from) ){0,4}(?:others?|rest|(?<=(?:the|all|any|our) )(?:old|older|former|previous|legacy))\\b|\\b(?:or(?: else)?|otherwise|else),? (?:your?|it|all|any|requests|calls|messages|data|traffic)\\b|\\b(?:so that|replaces?|replacing|supersedes?|superseding)\\b`
const CLAUSE = `(?:(?!${OTHER_CLAUSE})[^.;:]){0,60}`
const VERB = `(?:(?<!(?:\\bnot(?: to)?|n['’]t|\\bnever|\\bfrom|\\bwithout) )be(?:en|ing)?|is|are|was|were|became|reach(?:ed)?)`
const ADVERBS = "(?:(?:now|all|already|being|the|our|from|\\w+ly|moengage(?:['’]s)?) ){0,3}"
/** A blocklist turns what is said: an address that is removed from one, or not added to one, may be used. */
const BLOCKLIST = '[^.;:]{0,60}\\b(?:block|deny|black)[- ]?list'
const TO_BLOCKLIST = '(?:to|on|in|into) (?:(?:your|the|an?|any|our) )?(?:block|deny|black)[- ]?lists?\\b'
/** Not followed by a reservation ("may be removed at any time") or by the name of a blocklist. */
const RESERVED = `(?! (?:at any time|without|in (?:the )?future)\\b| from\\b${BLOCKLIST})`
const MUST = '(?:must|should|shall|needs? to|ha(?:ve|s) to|is to|are to)'

/** The addresses below as what a verb acts on. "Remove these headers" is about something else. */
const THEM = `(?:(?:all|any|each|both|of|the|our|moengage(?:['’]s)?) ){0,4}(?:${BELOW}(?=\\W*$|[,;:.]| (?:[\\w-]+ ){0,3}?(?:${ADDRESSES}|ones)\\b| (?:from|in|on|at|by|off|to (?:your|the|any))\\b)|(?:(?:ip|cidr) )?${ADDRESSES} (?:(?:that|which|are|is|listed|shown|given|in|the|list|table|section) ){0,6}${BELOW})`
/** Where a request to the reader may begin. "Some firewalls block these IPs" is a statement, not a request. */
const PLEASE = `(?:(?:^|[,;:–—-] |\\()(?:(?:please|kindly|and|then|so|now|also|instead|therefore|next|step \\d+:?) )*|\\b(?:please|kindly) |\\bwe(?: will|['’]ll) |\\b(?:you|customers|users|everyone) (?:can|may|must|should|need to|have to|will need to|will have to) (?:(?:now|also|then|safely) )?|\\b(?:recommend|advise|suggest|ask|make sure|be sure)(?: that)?(?: you)?(?: to)? )`
const ALLOWING = '(?:allowing|using|adding|trusting|accepting|permitting|(?:allow|white)[- ]?listing)'
const DO_NOT = `(?:${PLEASE}(?:do${NOT}|never|avoid)|\\byou (?:do|must|should|can|need)${NOT}(?: (?:need|have) to)?|\\b(?:recommend|advise|ask)(?: you)? not to|(?:\\bno need|${NOT} (?:necessary|required|needed)) to)`

/** Behind "do not use these": a purpose, or the name of a blocklist. Then only that use is meant. "As they are retired" is a reason. */
const TURNED = `[^.,;:]{0,60}\\b(?:for|without|as(?! (?:of|they|these|those|it|we)\\b))\\b|${BLOCKLIST}`
/** "To call our API" is a purpose, "to your allowlist" is a place. Of addresses that are not allowed to connect, none is to be used. */
const PURPOSE = '[^.,;:]{0,60}\\bto (?!(?:your|the|any|all|each|our|an?|(?:allow|white)[- ]?lists?|firewalls?)\\b)'

/** Being allowed, or the verb for it, with its object, where nothing behind it turns what is said. */
const allowing = (verbs: string, object: string) =>
  `(?:(?:allow(?:ed|ing)?|permit(?:ted|ting)?)${object}(?!${TURNED})|${verbs}${object}(?!${TURNED}|${PURPOSE}))`

/** Sentences that say of the addresses below them, in clear words, that they are over or not to be used. */
const SAYS_OVER = any(
  `${BELOW}${CLAUSE} ${VERB} ${ADVERBS}(?:${OVER}|${USED_BEFORE}|${PAST_USE})\\b${RESERVED}`,
  `${BELOW}${CLAUSE} ${NO_LONGER}\\b`,
  `\\bno longer (?:(?!\\b(?:is|are|was|were|has|have)\\b)[\\w ]){0,40}${POINTER}`,
  `\\b(?:not|\\w+n['’]t) [\\w ]{0,30}${POINTER} [\\w ]{0,30}any ?(?:more|longer)\\b`,
  `${BELOW}${CLAUSE} (?:is|are)${NOT} (?:used by moengage|in use|up[- ]to[- ]date|(?:valid|active|supported|current)(?! (?:for|in)\\b))`,
  `${BELOW}${CLAUSE} (?:must|should|can|may|need|do|does|is|are|ha(?:ve|s))${NOT}(?: need)?(?: to)? be ${allowing(ALLOWED, '\\b')}`,
  `${BELOW}${CLAUSE} ${MUST} be ${ADVERBS}(?:added|put) ${TO_BLOCKLIST}`,
  `${BELOW}${CLAUSE} ${MUST} be ${ADVERBS}${REMOVED}\\b(?! by\\b)${RESERVED}`,
  `(?<!(?:\\bnot|n['’]t|\\bnever) )\\b(?:${OVER}|(?:we|moengage) used)(?: (?:using|supporting|(?:the )?use of|support for|(?:sending|calling)(?: \\w+){0,2} from))? ${THEM}`,
  `\\b(?:until|till|prior to) [\\w ,]{0,40}\\b(?:came|was|were|used|sent)\\b[\\w ]{0,30} ${POINTER}`,
  `(?:${PLEASE}(?:${REMOVE}|replace|ignore|disregard)|\\band (?:remove|delete|revoke)|\\b(?:recommend|advise|suggest) (?:removing|deleting|blocking)) ${THEM}(?!${BLOCKLIST})`,
  `${PLEASE}(?:add|put) ${THEM}[\\w -]{0,40} ${TO_BLOCKLIST}`,
  `${PLEASE}take ${THEM}[\\w -]{0,40} (?:off|out of)\\b(?!${BLOCKLIST})`,
  `(?:${DO_NOT}|${PLEASE}stop) ${allowing(`(?:${ALLOW}|${ALLOWING})`, ` ${THEM}`)}`,
  `${PLEASE}avoid ${THEM}(?!${TURNED}|${PURPOSE}|[^.;:]{0,60}\\b(?:being|getting)\\b)`,
  `^(?:${OVER}|(?:do${NOT}|never) ${ALLOW})\\W*$`,
  TITLE_OF_REMOVAL
)
/** A text that heads the addresses below it like a title, and says that they are over or not to be used. */
const HEADS_OVER = any(
  `^(?:(?:the|our|all|list of|moengage(?:['’]s)?) )*(?:${OVER}|${USED_BEFORE}|${REMOVED})(?: [\\w-]+){0,3}? ${ADDRESSES}(?:\\W*$|\\s?[(,–—-]| (?:of|for|in|on|from|by|until|before|since|as)\\b(?!.*\\b(?:is|are|can|must|should|will|stay)\\b))`,
  `^(?:${OVER})(?:\\W*$| (?:on|in|since|as)\\b)`,
  `^(?:[\\w-]+ ){0,3}${ADDRESSES}[,:]? \\(?(?:(?:that|which) (?:(?:is|are|was|were|have been|has been) |(?=${NO_LONGER})))?(?:${NO_LONGER}|${OVER}|used (?:until|till|before))\\b(?!.*\\b(?:is|are|was|were|has|have|can|must|should|will|stay)\\b)`,
  `^(?:[\\w-]+ ){0,3}${ADDRESSES} (?:[\\w-]+ ){0,3}?not (?:to ${allowing(ALLOW, '\\b')}|be ${allowing(ALLOWED, '\\b')})`,
  `^(?:[\\w-]+ ){0,3}(?:${TO_REMOVE}|${ADDRESSES} (?:(?:that|which) )?(?:${MUST} be ${REMOVED}|you ${MUST} ${REMOVE})(?=\\W*$| (?:from|in|on)\\b))`,
  `^(?:no longer|not) (?:used|in use|valid|active|to be ${ALLOWED})\\b`
)
/** A sentence about addresses which are those below if none is about the ones below in other words. */
const STATES_OVER = any(
  `^(?:(?!other\\b)[\\w-]+ ){0,3}${ADDRESSES} (?:is|are|was|were|have been|has been) (?:${NO_LONGER}|${OVER})\\b`
)
const POINTS_BELOW = any(POINTER, '\\bhere (?:is|are)\\b')
/** "Old IPs, replaced by these:" heads the addresses that hold. */
const REPLACED_BY_THESE = any(`\\b(?:by|with) (?:the )?(?:ones )?${POINTER}`)
/** What follows says when, or whether, something is so. */
const CONDITION = /\b(?:if|when|whether|unless|once)\b/i
/** What stands before a title: signs, and the kind of a note. */
const KIND = /^(?:[^\p{L}\p{N}]|(?:note|notice|warning|important|caution|attention|danger|info|update)\s*[:!–—-])+/iu

function any(...patterns: readonly string[]): RegExp {
  return new RegExp(patterns.join('|'), 'i')
}

/** Why a table is not taken below a text: it says clearly that the addresses below it are over, or not to be used. */
export function outdatedBy(text: string): Unreadable | undefined {
  const sentences = text
    .split(/(?<=[.!?]) /)
    .filter((sentence) => !CONDITION.test(sentence))
    .map((sentence) => sentence.replace(KIND, ''))
  const last = sentences.slice(-1)
  const pointsBelow = sentences.some((sentence) => POINTS_BELOW.test(sentence))
  const isOver =
    sentences.some((sentence) => SAYS_OVER.test(sentence)) ||
    (pointsBelow ? last : sentences).some((title) => HEADS_OVER.test(title) && !REPLACED_BY_THESE.test(title)) ||
    (!pointsBelow && last.some((sentence) => STATES_OVER.test(sentence)))
  if (!isOver) return undefined
  return unreadable('The text directly above the table says that its addresses are over, or not to be used.')
}
