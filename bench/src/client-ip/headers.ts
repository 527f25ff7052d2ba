/** The header that is read. */
export type HeaderName = 'x-forwarded-for' | 'forwarded'

/** One header value to read. */
export interface Case {
  readonly name: string
  readonly header: HeaderName
  readonly text: string
}

/** How the timings of a resolver with a header are named. */
export const lane = (resolver: string, name: string) => `${resolver} / ${name}`

/** How many requests with this header are made ahead: of large ones few, so that they stay in the processor's cache. */
export const batchOf = ({ text }: Case) => (text.length > 4096 ? 32 : 512)

export const CLIENT = '3.6.251.95'
export const PEER = '10.0.0.1'
export const TRUSTED = ['10.0.0.0/8']

const STRANGER = '198.51.100.7'
const PROXY = '10.0.0.9'
/** What Node's parser lets through at most, for all headers together. */
const HOSTILE_LENGTH = 16_000

const xff = (name: string, text: string): Case => ({ name, header: 'x-forwarded-for', text })
const forwarded = (name: string, text: string): Case => ({ name: `Forwarded: ${name}`, header: 'forwarded', text })

/** What proxies and people send, in X-Forwarded-For. */
const ORDINARY: readonly Case[] = [
  xff('1 hop', hops(1)),
  xff('3 hops', hops(3)),
  xff('20 hops', hops(20)),
  xff('200 hops', hops(200)),
  xff('20 hops, all but the client trusted', [CLIENT, ...new Array(19).fill(PROXY)].join(', ')),
  xff('1 hop, IPv6', '2001:db8:85a3::8a2e:370:7334')
]

/** The same in Forwarded. */
const ORDINARY_FORWARDED: readonly Case[] = [
  forwarded('1 hop', `for=${CLIENT}`),
  forwarded('3 hops', `for=${CLIENT};proto=https, for=10.0.0.2, for="10.0.0.3:8080";by=10.0.0.1`)
]

/** 16 KB of whatever costs a reader of X-Forwarded-For most. */
const HOSTILE: readonly Case[] = [
  xff('forged strangers', fill(`${STRANGER}, `, CLIENT)),
  xff('forged trusted hops', fill(`${PROXY}, `, PROXY)),
  xff('one endless token', fill('a')),
  xff('one endless number', fill('1')),
  xff('endless white space', `${CLIENT},${fill(' ', PROXY)}`),
  xff('endless white space before a comma', `${fill(' ')}, ${PROXY}`),
  xff('commas', fill(',')),
  xff('colons', fill(':'))
]

/** The same in Forwarded. */
const HOSTILE_FORWARDED: readonly Case[] = [
  forwarded('forged strangers', fill(`for=${STRANGER}, `, `for=${CLIENT}`)),
  forwarded('forged trusted hops', fill(`for=${PROXY}, `, `for=${PROXY}`)),
  forwarded('one endless token', `for=${fill('a')}`),
  forwarded('one endless quoted string', `for="${fill('a')}"`),
  forwarded('endless backslashes', `for="${fill('\\')}"`),
  forwarded('quotes', fill('"')),
  forwarded('escaped quotes', `for="${fill('\\"')}"`),
  forwarded('endless pairs', `for=${CLIENT}${fill(';a=b')}`),
  forwarded('endless empty pairs', `for=${CLIENT}${fill(';')}`),
  forwarded('endless white space', `for=${CLIENT},${fill(' ', `for=${PROXY}`)}`)
]

/** Headers that are measured together, each group in a process of its own: who runs a server reads one header. */
export const GROUPS = {
  ordinary: ORDINARY,
  'ordinary-forwarded': ORDINARY_FORWARDED,
  hostile: HOSTILE,
  'hostile-forwarded': HOSTILE_FORWARDED
}
export type Group = keyof typeof GROUPS

/** A header with as many addresses: what strangers wrote, then the client, then two proxies of one's own. */
function hops(count: number): string {
  const proxies = count === 1 ? [] : ['10.0.0.2', '10.0.0.3']
  return [...new Array(count - 1 - proxies.length).fill(STRANGER), CLIENT, ...proxies].join(', ')
}

function fill(piece: string, last = ''): string {
  return piece.repeat(Math.floor((HOSTILE_LENGTH - last.length) / piece.length)) + last
}
