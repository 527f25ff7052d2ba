import { ADDRESSES, ALLOW, ALLOWED, OVER, PAST, REMOVE, REMOVED, TITLE_OF_REMOVAL, TO_REMOVE } from './words.js'

const NOT = "(?: not|n['’]t)"
const USED_BEFORE = '(?:formerly|previously) used'
const PAST_USE = '(?<=\\b(?:was|were|been) )(?:in use|used)(?! (?:for|by|to|only|since)\\b)(?! before\\b.*\\btoo\\b)'
const ANY_MORE = 'any ?(?:more|longer)'
/** "Need these" and "need to be allowed", but not "need a proxy". */
const NEEDED = `(?:need(?:ed|s|ing)?|required?|necessary)(?=\\W*$|[.,;:)]| (?:(?:to )?(?:be )?(?:${ALLOW}|${ALLOWED})|any|by|from|since|as|in|on|these|the following|the below)\\b)`
/** What ends for an address. "These IPs no longer change" and "are no longer limited to SMS" say nothing against them. */
const USE = `(?:(?:do|does|is|are|to|be(?:ing)?) )*(?:us(?:e[ds]?|ing)|in use|in service|ours|valid|active|support(?:ed|s)?|sen(?:ds?|t)|call(?:s|ed)?|belongs?|work(?:s|ing)?|served?|own(?:s|ed)?|exist|apply|connect|in operation|under our control|assigned|current|relevant|available|reachable|maintained|part of|${ALLOWED}|${ALLOW}|${NEEDED})`
const NO_LONGER = `(?:no longer (?:being )?${USE}|(?:not|\\w+n['’]t) ${USE}\\b[\\w ]{0,30} ${ANY_MORE})`

/** "Older versions of this list" are not what stands below. */
const POINTER =
  '\\b(?<!\\b(?:versions?|cop(?:y|ies)|editions?|revisions?|screenshots?) of (?:the )?)(?:these|this (?:list|table|section)|following|below)\\b'
/** Words for the addresses below. "IPs that are not in this list" and "IPs other than these" are others. */
const BELOW = `(?<!\\b(?:not|n['’]t)(?: \\w+)? (?:from|in|on|of|among) (?:the )?|\\b(?:other than|outside(?: of)?|except(?: for)?|besides|apart from|connections (?:from|to)) (?:the )?)${POINTER}`
/** The rest of a clause: behind these words another one begins, about other addresses or about requests. */
const OTHER_CLAUSE = `(?:\\(|(?:,|(?<!\\b(?:these|following|below|${ADDRESSES}) )(?:and|but|while|whereas)) )(?:(?:all|any|every|the|those|requests|traffic|calls|from) ){0,4}(?:others?|rest|(?<=(?:the|all|any|our) )(?:old|older|former|previous|legacy))\\b|\\b(?:or(?: else)?|otherwise|else),? (?:your?|it|all|any|requests|calls|messages|data|traffic)\\b|\\b(?:so that|replaces?|replacing|supersedes?|superseding)\\b`
const CLAUSE = `(?:(?!${OTHER_CLAUSE})[^.;:]){0,60}`
const VERB = `(?:(?<!(?:\\bnot(?: to| yet)?|n['’]t(?: yet)?|\\bnever|\\bfrom|\\bwithout|\\bmay|\\bmight) )be(?:en|ing)?|is|are|was|were|became|reach(?:ed)?)`
const ADVERBS = "(?:(?:now|all|already|being|taken|the|our|from|\\w+ly|moengage(?:['’]s)?) ){0,3}"
/** A blocklist turns what is said: an address that is removed from one, or not added to one, may be used. */
const BLOCKLIST = '[^.;:]{0,60}\\b(?:block|deny|black)[- ]?list'
const TO_BLOCKLIST = '(?:to|on|in|into) (?:(?:your|the|an?|any|our) )?(?:block|deny|black)[- ]?lists?\\b'
/** Not followed by a reservation ("may be removed at any time") or by the name of a blocklist. */
const RESERVED = `(?! (?:at (?:any )?(?:times?|point)|temporarily|without|in (?:the )?future)\\b| from\\b${BLOCKLIST})`
/** Where a list of senders is kept. What is removed from a bot filter, or is not added to a DNS, may call. */
const PLACE =
  "(?:all of )?(?:(?:your|the|all|any|our|its) )?(?:(?:ip|own|current|existing|inbound|access|control|company['’]?s?|network|firewall['’]?s?) ){0,2}(?:(?:(?:allow|white)[- ]?)?list(?:s|ing)?|acls?|firewalls?|wafs?|configs?|configurations?|settings?|rules?|security groups?|systems?|networks?|side|environments?)\\b"
const FROM_ELSEWHERE = `(?![^.,;:]{0,40}\\bfrom (?=(?:your|the|any|all|our|its)\\b)(?!the (?:\\d|first|end|start)|${PLACE}))`
const MUST = '(?:must|should|shall|needs? to|ha(?:ve|s) to|is to|are to)'

/** The addresses below as what a verb acts on. "Remove these headers" is about something else. */
const THEM = `(?:(?:all|any|each|both|of|the|our|moengage(?:['’]s)?) ){0,4}(?:${BELOW}(?=\\W*$|[,;:.]| (?:[\\w-]+ ){0,3}?(?:${ADDRESSES}|ones)\\b| (?:from|in|on|at|by|off|to (?:your|the|any))\\b)|(?:(?:ip|cidr) )?${ADDRESSES} (?:(?:that|which|are|is|listed|shown|given|in|the|list|table|section) ){0,6}${BELOW})`
/** The noun behind a pointer that stands for the addresses. */
const THEN = `(?: (?:[\\w-]+ ){0,3}?(?:${ADDRESSES}|ones))?`
/** Where a request to the reader may begin. "Some firewalls block these IPs" is a statement, not a request. */
const PLEASE = `(?:(?:^|[,;:–—-] |\\()(?:(?:please|kindly|and|then|so|now|also|instead|therefore|next|step \\d+:?) )*|\\b(?:please|kindly) |\\bwe(?: will|['’]ll) |\\b(?:you|customers|users|everyone) (?:can|may|must|should|need to|have to|will need to|will have to) (?:(?:now|also|then|safely) )?|\\b(?:recommend|advise|suggest|ask|make sure|be sure)(?: that)?(?: you)?(?: to)? )`
const ALLOWING = '(?:allowing|using|adding|trusting|accepting|permitting|(?:allow|white)[- ]?listing)'
const DO_NOT = `(?:${PLEASE}(?:do${NOT}|never|avoid)|\\byou (?:do|must|should|can|need)${NOT}(?: (?:need|have) to)?|\\b(?:recommend|advise|ask)(?: you)? not to|(?:\\bno need|${NOT} (?:necessary|required|needed)) to)`

/**
 * Behind "do not use these": a purpose, a restriction ("alone", "on port 22", "twice"), or the name of a blocklist. Then only that use is
 * meant. "As they are retired" is a reason.
 */
const TURNED = `[^.,;:]{0,60}\\b(?:for|without|as(?! (?:of|they|these|those|it|we)\\b)|alone|only|exclusively|blindly|manually|by hand|again|twice|more than once|separately|individually|directly|instead|elsewhere|beyond|access to|by (?:host|dns|name)|(?:on|with|over) (?:(?:a|any|other) )?ports?|in (?:your |the )?(?:code|dns|spf|dkim|dmarc|e-?mails?|scripts?))\\b|${BLOCKLIST}`
/** "To call our API" is a purpose, "to your allowlist" is a place. Of addresses that are not allowed to connect, none is to be used. */
const PURPOSE = `[^.,;:]{0,60}\\bto (?!${PLACE})`
const ENTRY = `[^.,;:]{0,60}\\bto (?!${PLACE}|(?:connect|call|send|pass|enter|make|be)\\b)`

/** Being allowed, or the verb for it, with its object, where nothing behind it turns what is said. */
const allowing = (verbs: string, object: string) =>
  `(?:(?:allow(?:ed|ing)?|permit(?:ted|ting)?)${object}(?!${TURNED}|${ENTRY})|${verbs}${object}(?!${TURNED}|${PURPOSE}))`

/** What will be done to addresses that end. */
const RETIRE =
  '(?:retire|deprecate|discontinue|decommission|withdraw|revoke|remove|delete|disable|archive|replace|sunset|phase out|stop (?:using|supporting|(?:sending|calling)(?: \\w+){0,2} from))'
/** The words of a title that stand alone: "Deprecated - do not use". */
const IS_OVER = `(?:${OVER}|(?:please )?(?:do${NOT}|never) ${ALLOW}(?: (?:it|them|these))?(?: ${ANY_MORE})?)`

/** Sentences that say of the addresses below them, in clear words, that they are over or not to be used. */
const SAYS_OVER = any(
  `${BELOW}${CLAUSE} ${VERB} ${ADVERBS}(?:${OVER}|${USED_BEFORE}|${PAST_USE})\\b${RESERVED}${FROM_ELSEWHERE}`,
  `${BELOW}${CLAUSE} ${NO_LONGER}\\b`,
  `\\bno longer (?:(?:have|need(?:ed)?|required|necessary) to )?${USE}(?: (?!(?:is|are|was|were|has|have|from|on)\\b)\\w+)? ${THEM}`,
  `\\bno longer (?!supported\\b)(?:(?!(?:is|are|was|were|has|have|but)\\b)\\w+ ){1,5}?(?:from|through|via) ${THEM}`,
  `\\b(?:not|\\w+n['’]t) [\\w ]{0,30}${POINTER} [\\w ]{0,30}${ANY_MORE}\\b`,
  `${BELOW}${CLAUSE} (?:is|are)${NOT} (?:used by moengage|in use|up[- ]to[- ]date|(?:valid|active|supported|current)(?! (?:for|in|by)\\b))(?! yet\\b)`,
  `${BELOW}${CLAUSE} (?:must|should|can|may|need|do|does|is|are|ha(?:ve|s))${NOT}(?: need)?(?: to)? be ${allowing(ALLOWED, '\\b')}`,
  `${BELOW}${CLAUSE} ${MUST} be ${ADVERBS}(?:added|put) ${TO_BLOCKLIST}`,
  `${BELOW}${CLAUSE} ${MUST} be ${ADVERBS}${REMOVED}\\b(?! by\\b)${RESERVED}${FROM_ELSEWHERE}`,
  `(?<!(?:\\bnot|n['’]t|\\bnever) )\\b(?:${OVER}|(?:we|moengage) used)(?: (?:using|supporting|(?:the )?use of|support for|(?:sending|calling)(?: \\w+){0,2} from))? ${THEM}`,
  `\\b(?:will|shall|(?:plan|going|about) to)(?: (?:soon|also|now))? ${RETIRE} ${THEM}`,
  `\\b(?:we|moengage) (?:will|do|does)${NOT} (?:use|(?:send|call)(?: \\w+){0,3} from) ${THEM}(?!${TURNED}|${PURPOSE})`,
  `^(?:(?:the|our|new|above|list|ips?) ){1,4}(?:above )?replaces? ${THEM}${THEN}\\W*$`,
  `${POINTER}${CLAUSE} (?:was|were|belonged)\\b[\\w ]{0,30} (?:until|till)\\b`,
  `${BELOW}${CLAUSE} will (?:soon )?(?:cease|expire|go away|stop (?:working|being used)|not be used(?! (?:for|by|to)\\b))`,
  `(?:${POINTER}|\\bhere)(?:(?!\\bno\\b|\\bnot\\b)[^.,;:]){0,20}?(?: (?:is|are|was|were|lists?|shows?|contains?|for)|['’]s) (?:(?:the|an?|our|all|some|lists?|table|of) ){0,5}(?:${OVER}|${REMOVED}) (?:[\\w-]+ ){0,2}?${ADDRESSES}\\b`,
  `\\b(?:until|till|prior to) [\\w ,]{0,40}\\b(?:came|was|were|used|sent)\\b[\\w ]{0,30} ${POINTER}`,
  `(?:${PLEASE}(?:${REMOVE}|replace(?![^.;:]{0,60} with (?:the |those )?(?:ones? |values )?(?:of|for|from) your\\b))|\\band (?:remove|delete|revoke)|\\b(?:recommend|advise|suggest) (?:removing|deleting|blocking)) ${THEM}(?!${BLOCKLIST})${FROM_ELSEWHERE}`,
  `${PLEASE}(?:ignore|disregard|discontinue(?: using| (?:the )?use of)?) ${THEM}${THEN}(?=\\W*$|[,;:.]| (?:as|because|since|by|from)\\b)`,
  `${PLEASE}(?:add|put) ${THEM}[\\w -]{0,40} ${TO_BLOCKLIST}`,
  `${PLEASE}take ${THEM}[\\w -]{0,40} (?:off|out of)\\b(?!${BLOCKLIST})`,
  `(?:${DO_NOT}|${PLEASE}stop) ${allowing(`(?:${ALLOW}|${ALLOWING})`, ` (?!all\\b|both\\b|each\\b)${THEM}`)}`,
  `${PLEASE}avoid ${THEM}(?!${TURNED}|${PURPOSE}|[^.;:]{0,60}\\b(?:being|getting)\\b)`,
  `^${IS_OVER}(?:\\W+${IS_OVER})*\\W*$`,
  `^(?:until|till|before|prior to) (?:[\\w,]+ ){0,3}\\d{4}\\W*$`,
  `^(?:(?:the|our|all) )*(?:${OVER}) (?:[\\w-]+ ){0,2}?${ADDRESSES} (?:is|are|was|were)(?: as follows| (?:listed |shown |given )?below)?\\W*$`,
  TITLE_OF_REMOVAL
)
/** A text that heads the addresses below it like a title, and says that they are over or not to be used. */
const HEADS_OVER = any(
  `^(?:(?:the|our|all|list of|moengage(?:['’]s)?) )*(?:${OVER}|${USED_BEFORE}|${REMOVED})(?: [\\w-]+){0,3}? ${ADDRESSES}(?:\\W*$|\\s?[(,–—-]| (?:of|for|in|on|from|by|until|before|since|as)\\b(?!.*\\b(?:is|are|can|must|should|will|stay)\\b))`,
  `^(?:${OVER})(?:\\W*$| (?:on|in|since|as)\\b)`,
  `^(?:[\\w-]+ ){0,3}${ADDRESSES}[,:]? \\(?(?:(?:that|which) (?:(?:is|are|was|were|have been|has been) |(?=${NO_LONGER})))?(?:${NO_LONGER}|${OVER}|used (?:until|till|before))\\b(?!.*\\b(?:is|are|was|were|has|have|can|must|should|will|stay)\\b)`,
  `^(?:[\\w-]+ ){0,3}${ADDRESSES} (?:(?:that|which) )?(?:we|moengage) (?:${NO_LONGER}|do(?:es)?${NOT} (?:use|send|call)|(?:have |has )?(?:${OVER}))\\b`,
  `^(?:[\\w-]+ ){0,3}${ADDRESSES} (?:that|which) (?:is|are)${NOT} (?:in use|used|valid|active)\\W*$`,
  `^(?:[\\w-]+ ){0,3}${ADDRESSES} (?:[\\w-]+ ){0,3}?not (?:to ${allowing(ALLOW, '\\b')}|be ${allowing(ALLOWED, '\\b')})`,
  `^(?:(?!other\\b)[\\w-]+ ){0,3}(?:${TO_REMOVE}|${ADDRESSES} (?:(?:that|which) )?(?:${MUST} be ${REMOVED}|you ${MUST} ${REMOVE})(?=\\W*$| (?:from|in|on)\\b)${FROM_ELSEWHERE})`,
  `^(?:no longer|not) (?:used|in use|valid|active|to be ${ALLOWED})\\b`
)
/** A sentence about addresses which are those below if none is about the ones below in other words. */
const STATES_OVER = any(
  `^(?!(?:one|two|three|four|five|some|several|few|\\d+) )(?:(?!other\\b)[\\w-]+ ){0,3}${ADDRESSES} (?:is|are|was|were|have been|has been) (?:${NO_LONGER}|${OVER})\\b`
)
const POINTS_BELOW = any(POINTER, '\\bhere (?:is|are)\\b')
/** "Old IPs, replaced by these:" heads the addresses that hold. */
const REPLACED_BY_THESE = any(`\\b(?:by|with) (?:the )?(?:ones )?${POINTER}`)
/** What follows says when, or whether, something is so. */
const CONDITION = /\b(?:if|when|whether|unless|once|before (?:any|these|this))\b/i
/** The condition has come to pass when the reader has followed the page. */
const ONCE_DONE =
  /^(?:once|when|after) [^,]{0,60}\b(?:done|finished|completed?|migrated|moved|switched|added|updated|in place), /i
/** Says of addresses, whatever else it says, that they hold, or that of none it is so. */
const HOLDS =
  /\b(?:still|now (?:in use|used|valid|active)|only from (?:these|the following)|none|no (?:ips?|address(?:es)?|ranges?))\b/i
/** What stands before a title: signs, and the kind of a note. */
const KIND =
  /^(?:[^\p{L}\p{N}]|(?:note|notice|warning|important|caution|attention|danger|info|update|tip)\s*[\]!:–—-])+/iu

function any(...patterns: readonly string[]): RegExp {
  return new RegExp(patterns.join('|'), 'i')
}

/** A cell about its row, of a column about the state of rows: what is over is the row, not what the cell speaks of. */
const ROW_OVER = any(
  `^(?:(?:it|this|these|the|ips?|address(?:es)?|row|entry|currently|now|already|is|are|was|were|will|to|be|been|has|have) )*(?:${OVER}|${REMOVED})(?=\\W*$|\\s*[,;.(–—-]| (?:on|in|since|as of|by|from)\\b)`,
  `^(?:${NO_LONGER}|(?:not|do${NOT}|never) (?:in use|used?|valid|active|${ALLOW}))(?=\\W*$|\\s*[,;.(–—-]| (?:since|as of|by moengage|it|this)\\b)`,
  `^(?:please )?${REMOVE}(?: (?:it|this|these|ips?|now))*\\W*$`
)

/** Headers of columns about the state of rows. */
const STATE = /\b(?:status|state|validity|notes?|remarks?|comments?|actions?|lifecycle)\b/i
const YES = /^\W*(?:yes|y|true|x|✓|✔|✅)\W*$/iu
const NO = /^\W*(?:no|n|false|✗|✘|❌)\W*$/iu
const ASKS_IF_OVER = any(`^(?:is )?(?:${OVER}|${REMOVED})\\W*$`)
const ASKS_IF_IN_USE = /^(?:is |still )*(?:active|in use|used|valid|supported|current|live|enabled)\W*$/i

/** Whether a cell beside the addresses says clearly, by itself or with its header, that its row is over, or not to be used. */
export const saysRowOver = (header: string, text: string): boolean =>
  (STATE.test(header) && ROW_OVER.test(text)) ||
  (ASKS_IF_OVER.test(header) && YES.test(text)) ||
  (ASKS_IF_IN_USE.test(header) && NO.test(text))

/** Words with which a text may say, in a way that is not understood, that what is below it is over or not to be used. */
const MENTIONS_END = any(
  `\\b(?:${PAST}|(?<!\\b(?:cidr|ip|address|network) )${REMOVE}|${REMOVED}|${RETIRE}|ignore|disregard|avoid|replaces?|removals?|for reference|before (?:\\w+ ){0,2}\\d+|(?:gave|given) up|released|reassigned|reallocated|returned|no longer|no more|${ANY_MORE}|(?:switched|turned) off|shut down|offline|go away|gone|moved|migrated|dead|void|cancelled|canceled|lapsed|stale|against|refrain|clean up|delist|expires?|expiring|up to (?:\\w+ ){0,2}\\d|prior|earlier|pre-\\d{4}|supersede|ignored|another company|removes|removing|phases?|phasing|ends?|ending|rotated|purge|un-?whitelist|redundant|used to|ones? below|valid through|swap|attackers?|spoofed|fraudulent|untrusted|dormant|relinquished|handed back|sample|rogue|suspicious|goodbye|shutdown|non-moengage|no traffic|no moengage|fake|malicious|examples?|placeholders?|this was|these were|no (?:requests?|calls?|messages?)|nothing|nobody|by mistake|in error|wrong|backup|looked|leave|kept for|was|used in \\d{4}|(?:before|after) the)\\b`,
  `\\b(?:no need to|not|never|\\w+n['’]t) (?:[\\w-]+ ){0,3}?(?:needed|required|recommended|updated|moengage|from|${ALLOW}|${ALLOWED}|in use|in service|valid|active|belong|ours|own|come|this one|${ALLOWING})\\b`
)

/** Words with which a text says what the addresses below it are for, or asks to let them in. */
const SAYS_USE = any(
  `(?<!\\b(?:your|the|an?|from|of|in) )\\b(?:${ALLOW}|${ALLOWED}|uses|sends?|sent|calls?|comes?|originates?|opens?|configure|enable|contacts?|static|fixed|dedicated|published|lists|contains?|shows?|given|provided|see|find|choose|select|pick|copy|share|apply|applies|need(?:ed|s)?|required?|includes?|ensure|make sure|checks?|refer|same|are as follows|pulls?|pushes|runs|gives?|arrives?|reach(?:es)?|connects?|changes?|changed|notify)\\b`,
  `\\b(?:for|of|per|by|in) (?:each|all|every|your)\\b`,
  `^(?:the )?following(?: \\w+)? ${ADDRESSES}\\W*$`
)

/** Whether a text has words that may speak against the addresses beside it. A person has to read it. */
export const mayBeOutdatedBy = (text: string): boolean => MENTIONS_END.test(text)

/** Whether a text above addresses may speak against them: it has words that may, or speaks of them in words that nobody knows. */
export const mayBeOutdatedBelow = (text: string): boolean =>
  mayBeOutdatedBy(text) || (POINTS_BELOW.test(text) && !SAYS_USE.test(text))

/** Whether a text says clearly that the addresses below it are over or not to be used. */
export function saysOver(text: string): boolean {
  const sentences = text
    .split(/(?<=[.!?]) /)
    .map((sentence) => sentence.replace(KIND, '').replace(ONCE_DONE, ''))
    .filter((sentence) => !CONDITION.test(sentence) && !HOLDS.test(sentence))
  const last = sentences.slice(-1)
  const pointsBelow = sentences.some((sentence) => POINTS_BELOW.test(sentence))
  return (
    sentences.some((sentence) => SAYS_OVER.test(sentence)) ||
    (pointsBelow ? last : sentences).some((title) => HEADS_OVER.test(title) && !REPLACED_BY_THESE.test(title)) ||
    (!pointsBelow && last.some((sentence) => STATES_OVER.test(sentence)))
  )
}

const POINTS_AHEAD = /\b(?:below|following|here)\b|:$/i
const POINTS_BACK = any(
  '\\b(?:above|these|those|they|them|there|entries|rows|(?:this|the|previous) (?:list|table|section))\\b',
  `\\b${ADDRESSES}\\b`,
  `^(?:[*†‡§¹²³⁴⁵⁶⁷]|\\[[\\w^]{1,3}\\]|\\(?[1-7a-z][.)]|(?:${OVER}|no longer|do${NOT}|never)\\b)`
)

/** Whether a text below a table has words that may speak against the addresses of it. */
export const mayBeOutdatedAbove = (text: string): boolean =>
  POINTS_BACK.test(text) && !POINTS_AHEAD.test(text) && mayBeOutdatedBy(text)

/** Whether a text below a table says clearly that the addresses above it are over or not to be used. */
export const saysOverAbove = (text: string): boolean =>
  /\babove\b/i.test(text) && !POINTS_AHEAD.test(text) && saysOver(text.replaceAll(/\babove\b/gi, 'below'))
