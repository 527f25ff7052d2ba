import { FINDING_KINDS, type Finding, type FindingKind } from '../evidence/findings.js'
import { REASONS, type Reason } from '../verdict/verdict.js'

/** How many rejected requests carried the secret, and what that proves. */
export type Proof = Pick<Finding, 'kind' | 'count'>

const KINDS: Readonly<Record<Reason, FindingKind>> = {
  'not-listed': 'list-aged',
  'other-data-center': 'other-data-center',
  'other-channel': 'other-channel',
  'stale-list': 'stale-list',
  denied: 'denied',
  unresolved: 'unresolved',
  'proxy-not-configured': 'proxy',
  'permissive-trust': 'unresolved'
}

/**
 * What the secret proves about the requests that were rejected since the start. The findings of a guard are about the last seven days,
 * and about senders that it would reject again.
 *
 * @param rejected the rejections with the secret
 * @param own how many of those for `not-listed` are of the receiver's own set-up
 */
export function proofsOf(rejected: Readonly<Record<Reason, number>>, own: number): Proof[] {
  const counts = new Map<FindingKind, number>([
    ['proxy', own],
    ['list-aged', -own]
  ])
  for (const reason of REASONS) counts.set(KINDS[reason], (counts.get(KINDS[reason]) ?? 0) + rejected[reason])
  return FINDING_KINDS.flatMap((kind) => {
    const count = counts.get(kind) ?? 0
    return count > 0 ? [{ kind, count }] : []
  })
}
