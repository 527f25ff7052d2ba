import { machineLine, versionsLine } from '../report/machine.js'
import { targetTable } from '../report/targets.js'
import { measureList } from './measure-list.js'
import { listTables, subjectNotes } from './tables.js'
import { matcherTargets } from './targets.js'

const PEERS = [
  'ipaddr.js',
  'lru-cache',
  'hono',
  'ip-set',
  'is-in-subnet',
  'ip-matching',
  '@fastify/proxy-addr',
  'cidr-matcher',
  'express-ipfilter'
]

/** Measures address text → answer, and returns the section of the document. */
export async function matcherPart(): Promise<string> {
  const real = await measureList('real')
  const large = await measureList('10k')
  const larger = await measureList('50k')
  return [
    '## Matcher and verdict',
    'From the text of an address, new each time as the HTTP parser makes it, to the answer whether it is listed. A wrong ' +
      'answer differs from an independent reference (plain arithmetic on what Node takes for an address) or is an exception. ' +
      'Bytes are those on the JavaScript heap; `net.BlockList` holds its list outside of it.',
    `${machineLine()} ${versionsLine(PEERS)}`,
    subjectNotes(),
    '### Targets',
    targetTable(matcherTargets({ real, '10k': large, '50k': larger })),
    ...[real, large, larger].map(listTables)
  ].join('\n\n')
}
