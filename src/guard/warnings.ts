import type { Cells, Directory } from '../directory/directory.js'
import type { Problem } from '../errors.js'
import { DAY } from '../lib/time.js'
import type { Settings } from './options.js'

type Lists = Pick<Settings<never>, 'trustedProxies' | 'allow'>

/** A trusted proxy is believed about everybody else; an address that is also a sender's can speak for any sender. */
export function trustedSenders({ trustedProxies, allow }: Lists, directory: Directory, cells: Cells): Problem[] {
  const senders = [...directory.entriesOf(cells).map(({ prefix }) => prefix), ...allow]
  return trustedProxies
    .filter((prefix) => senders.some((sender) => prefix.overlaps(sender)))
    .map((prefix) => ({
      code: 'MOE_WARN_TRUSTED_PROXIES',
      path: 'clientIp.trustedProxies',
      value: `${prefix}`,
      message: `${prefix} is both trusted as a proxy and accepted as a sender: it can claim any client address.`,
      fix: 'Keep proxies and senders apart.'
    }))
}

/** How long ago a list was last known to be current, in milliseconds; 0 if the clock is behind it. */
export function ageOf({ checked }: Directory, now: number): number {
  return Math.max(0, now - Date.parse(checked))
}

/** Whether the list has aged by now. */
export function ageWarnings(directory: Directory, staleAfter: number, now: number): Problem[] {
  const age = ageOf(directory, now)
  if (age < staleAfter) return []
  const { checked, revision } = directory
  return [
    {
      code: 'MOE_WARN_STALE',
      path: 'source',
      value: revision,
      message: `The list was last checked ${Math.floor(age / DAY)} days ago, on ${checked}; MoEngage changes its addresses.`,
      fix: 'Update moengage-allowlist, or load the list from a source that is checked regularly.'
    }
  ]
}
