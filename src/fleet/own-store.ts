import { callBack, isUnwantedPromise, itemsOf, resultOf } from '../lib/promise.js'
import { messageLineOf, shown } from '../lib/text.js'
import { emitWarning } from '../lib/warning.js'
import type { FleetStore, ReplicaStore } from './store.js'

const METHODS = [
  'read',
  'poll',
  'watch',
  'report',
  'reports',
  'close'
] as const satisfies readonly (keyof ReplicaStore)[]

/**
 * A store of the user's, as a replica uses it: whatever its methods return, throw or reject with becomes a promise, which is rejected
 * with nothing but an error.
 *
 * @throws Error if it is a promise, or lacks a method
 */
export function ownStore(store: FleetStore): ReplicaStore {
  if (isUnwantedPromise(store)) {
    throw new TypeError(
      'The function "store" of storeFleet returned a promise. Return the store itself, which may connect later.'
    )
  }
  const missing = METHODS.filter((method) => typeof Object(store)[method] !== 'function')
  if (missing.length > 0) {
    const what = store === undefined ? 'nothing' : shown(store)
    throw new TypeError(
      `The function "store" of storeFleet returned ${what} instead of a store. Return an object with the methods ${missing.join(', ')}.`
    )
  }
  return {
    read: (limits) => called(() => store.read(limits)),
    poll: () => called(() => store.poll()),
    watch: (changed, signal) => store.watch(changed, signal),
    report: (report, keepFor) => called(() => store.report(report, keepFor)),
    async *reports(limit, bytes) {
      try {
        // An async function may return them.
        yield* itemsOf((await resultOf(() => store.reports(limit, bytes))) as ReturnType<FleetStore['reports']>)
      } catch (error) {
        throw errorOf(error)
      }
    },
    close() {
      callBack(
        () => store.close(),
        (error) => emitWarning(`The store of a fleet could not be closed: ${messageLineOf(error)}`)
      )
    }
  }
}

async function called<Answer>(run: () => Promise<Answer>): Promise<Answer> {
  try {
    return (await resultOf(run)) as Answer
  } catch (error) {
    throw errorOf(error)
  }
}

/** What was thrown, as an error: a replica that could not read the store must not take null for a store without a state. */
const errorOf = (thrown: unknown) => (thrown instanceof Error ? thrown : new Error(messageLineOf(thrown)))
