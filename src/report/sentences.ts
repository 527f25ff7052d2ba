import { counted } from '../senders/diagnosis.js'
import { GENUINE_WORDS } from './conclusion.js'
import type { Report } from './report.js'

/** The sentences that a report has as a text and as a page. */

/** How many senders are not listed; empty if all of them are. */
export function moreSenders({ senders, moreSenders: more }: Report): string {
  if (more.rejections === 0) return ''
  const rejections = counted(more.rejections, 'rejection')
  return more.isLeast
    ? `More senders than can be remembered, with ${rejections}.`
    : `${counted(more.senders, 'more sender')} with ${rejections}: --senders ${senders.length + more.senders} lists them.`
}

/** A question about a log, and its answer. */
export interface Answer {
  readonly question: string
  readonly answer: string
  readonly evidence: readonly string[]
}

const CAN_REJECT = { yes: 'Yes.', no: 'Not yet.', unclear: 'That depends.' }

/** The answers of a report; empty where no line about senders was read. */
export function answersOf(report: Report): Answer[] {
  const { canReject, genuine, lines } = report
  if (lines.own === 0) return []
  const whose = agedText(report)
  const answers: Answer[] = []
  if (genuine !== null) {
    answers.push({
      question: 'Was anything genuine turned away?',
      answer: whose === undefined ? `${GENUINE_WORDS[genuine.answer]}.` : `Yes, ${whose}`,
      evidence: genuine.evidence
    })
  }
  if (canReject !== null) {
    answers.push({
      question: 'Can I switch to "reject"?',
      answer: whose === undefined ? CAN_REJECT[canReject.answer] : `No, ${whose}`,
      evidence: canReject.evidence
    })
  }
  return answers
}

const NUMBERS = ['', '', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten']

/** "these three addresses are MoEngage's: …"; undefined if no unlisted address sent the secret. */
function agedText({ evidence }: Report): string | undefined {
  const aged = evidence.find(({ kind }) => kind === 'list-aged')
  if (aged === undefined) return undefined
  const { addresses } = aged
  const [these, are] = addresses.length === 1 ? ['this address', 'is'] : [manyText(addresses.length), 'are']
  return `${these} ${are} MoEngage's: ${addresses.join(', ')}.`
}

const manyText = (count: number) => `these ${NUMBERS[count] ?? count} addresses`
