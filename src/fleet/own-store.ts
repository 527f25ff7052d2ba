import { callBack, isUnwantedPromise, resultOf } from '../lib/promise.js'
import { messageLineOf } from '../lib/text.js'
import { emitWarning } from '../lib/warning.js'
import type { FleetStore, ReplicaStore } from './store.js'

/**
 * A store of the user's, as a replica uses it: whatever its methods return, throw or reject with becomes a promise, which is rejected
 * with nothing but an error.
 *
 * @throws Error if it is a promise
 */
export function ownStore(store: FleetStore): ReplicaStore {
  if (isUnwantedPromise(store)) {
    throw new TypeError(
      'The function "store" of storeFleet returned a promise. Return the store itself, which may connect later.'
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
        yield* (await resultOf(() => store.reports(limit, bytes))) as ReturnType<FleetStore['reports']>
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
