import { isRecord } from '../lib/json.js'
import { AWAIT_FIX, callBack, drop, isUnwantedPromise, isWholePromise, itemsOf, resultOf } from '../lib/promise.js'
import { messageLineOf, shown } from '../lib/text.js'
import { emitWarning } from '../lib/warning.js'
import type { FleetStore, FoundReport, ReplicaStore, StoredState } from './store.js'

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
    drop(missing.map((method) => Object(store)[method]))
    const what = store === undefined ? 'nothing' : shown(store)
    throw new TypeError(
      `The function "store" of storeFleet returned ${what} instead of a store. Return an object with the methods ${missing.join(', ')}.`
    )
  }
  return {
    read: (limits) => called(() => store.read(limits), readState),
    poll: () => called(() => store.poll(), readVersion),
    watch: (changed, signal) => store.watch(changed, signal),
    report: (report, keepFor) => called(() => store.report(report, keepFor), drop),
    async *reports(limit, bytes) {
      try {
        // An async function may return them.
        const groups = await resultOf(() => store.reports(limit, bytes))
        for await (const group of itemsOf(readGroups(groups))) yield readGroup(group)
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

async function called<Answer>(run: () => unknown, read: (answer: unknown) => Answer): Promise<Answer> {
  try {
    return read(await resultOf(run))
  } catch (error) {
    throw errorOf(error)
  }
}

const isVersion = (value: unknown): value is number => typeof value === 'number'
const isText = (value: unknown): value is string | null => value === null || typeof value === 'string'

function readState(state: unknown): StoredState | null {
  if (state === null) return null
  if (!isRecord(state)) {
    throw wrong('read', state, 'Return { version, list, overrides }, or null where there is no state.')
  }
  const { version, list, overrides } = state
  // Of an object of a class, nothing else would be found.
  const whole = [state, version, list, overrides]
  if (!isVersion(version)) throw wrong('read', version, 'Return a number.', { name: 'the version', whole })
  for (const [name, text] of Object.entries({ list, overrides })) {
    if (isText(text)) continue
    const fix = 'Return the text that was written, or null where there is none.'
    throw wrong('read', text, fix, { name: `the ${name}`, whole })
  }
  return { version, list, overrides } as StoredState
}

function readVersion(version: unknown): number | null {
  if (version === null || isVersion(version)) return version
  throw wrong('poll', version, 'Return the version, a number, or null where there is no state.')
}

const GROUPS = 'Write async *reports() { yield [{ id, text, age }] }, with any number of reports in a list.'

function readGroups(groups: unknown): AsyncIterable<unknown> {
  if (typeof Object(groups)[Symbol.asyncIterator] !== 'function') throw wrong('reports', groups, GROUPS)
  return groups as AsyncIterable<unknown>
}

function readGroup(group: unknown): readonly FoundReport[] {
  if (!Array.isArray(group)) throw wrong('reports', group, GROUPS, { name: 'a list of reports', whole: group })
  for (const report of group) {
    const { id, text, age } = Object(report)
    if (typeof id === 'string' && typeof text === 'string' && typeof age === 'number') continue
    // Of an object of a class, nothing else would be found.
    const whole = [group, group.map((one: object) => ({ ...one }))]
    const [name] = Object.entries({ id, text, age }).find(([, value]) => isWholePromise(value)) ?? []
    if (name === undefined) throw wrong('reports', report, GROUPS, { name: 'a report', whole })
    throw wrong('reports', Object(report)[name], GROUPS, { name: `the ${name} of a report`, whole })
  }
  return group
}

/** @param part what the value was taken for, where it is only a part of what was returned */
function wrong(
  method: string,
  value: unknown,
  fix: string,
  part?: { readonly name: string; readonly whole: unknown }
): TypeError {
  drop([value, part?.whole])
  const isPromise = isWholePromise(value)
  const what = isPromise ? 'a promise' : shown(value)
  const where = part === undefined ? '' : ` as ${part.name}`
  return new TypeError(`The method "${method}" of your store returned ${what}${where}. ${isPromise ? AWAIT_FIX : fix}`)
}

/** What was thrown, as an error: a replica that could not read the store must not take null for a store without a state. */
const errorOf = (thrown: unknown) => (thrown instanceof Error ? thrown : new Error(messageLineOf(thrown)))
