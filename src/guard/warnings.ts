import type { Cells, Directory } from '../directory/directory.js'
import { overlapping } from '../net/coverage.js'
import type { Problem } from '../problem.js'
import type { Settings } from './options.js'

/** After this many days the bundled list is old enough to say so: MoEngage's addresses "change frequently". */
const STALE_DAYS = 90
const DAY = 24 * 60 * 60 * 1000

type Lists = Pick<Settings<never>, 'trustedProxies' | 'allow'>

/** A trusted proxy is believed about everybody else; an address that is also a sender's can speak for any sender. */
export function trustedSenders({ trustedProxies, allow }: Lists, directory: Directory, cells: Cells): Problem[] {
  const senders = [...directory.entriesOf(cells).map(({ prefix }) => prefix), ...allow]
  return overlapping(trustedProxies, senders).map((prefix) => ({
    code: 'MOE_WARN_TRUSTED_PROXIES',
    path: 'clientIp.trustedProxies',
    value: `${prefix}`,
    message: `${prefix} is both trusted as a proxy and accepted as a sender: it can claim any client address.`,
    fix: 'Keep proxies and senders apart.'
  }))
}

/** Whether the list has aged by now. */
export function ageWarnings({ provenance: { retrieved }, revision }: Directory): Problem[] {
  const days = Math.floor((Date.now() - Date.parse(retrieved)) / DAY)
  if (days <= STALE_DAYS) return []
  return [
    {
      code: 'MOE_WARN_STALE',
      path: 'source',
      value: revision,
      message: `The list was taken ${days} days ago, on ${retrieved}; MoEngage changes its addresses.`,
      fix: 'Update moengage-allowlist, or load the list from a source of your own.'
    }
  ]
}
