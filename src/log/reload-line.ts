import type { GuardStatus } from '../guard/status.js'

/** One line about a reload, for the log of a framework. */
export interface News {
  readonly level: 'info' | 'error'
  readonly line: string
  readonly moengage: object
}

/** Says what came of a reload. */
export function reloadNews(error: Error | null, status: GuardStatus): News {
  const { revision, provenance, source, entries, pendingRemovals } = status
  const list = `revision ${revision} of ${provenance.retrieved}`
  const facts = { source, revision, retrieved: provenance.retrieved, entries }
  if (error !== null) {
    const { code } = error as { code?: string }
    // Errors that list their reasons do so on lines of their own.
    const why = error.message.replace(/^source: /, '').replaceAll(/\s*\n\s*/g, ' ')
    return { level: 'error', line: `The list in use stays, ${list}. ${why}`, moengage: { code, ...facts } }
  }
  const pending = pendingRemovals.length
  const removed = pending === 0 ? '' : `, and ${pending} removed for which the grace period runs`
  return {
    level: 'info',
    line: `The list in use is ${list}, with ${entries} entries${removed}.`,
    moengage: { ...facts, pendingRemovals: pending }
  }
}
