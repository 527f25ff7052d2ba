import { SnapshotError } from '../../errors.js'

/** MoEngage's own list holds about 600 values. Beyond this, compiling would hold up the server. */
const MAX_VALUES = 20_000
/** A snapshot nests five levels. */
const MAX_DEPTH = 10

/**
 * Refuses what no list of MoEngage's could be, before anything is made of it: a million entries, or arrays in arrays in
 * arrays.
 *
 * @throws SnapshotError (`MOE_ERR_SNAPSHOT`)
 */
export function checkBounds(snapshot: unknown): void {
  let count = 0
  let level: unknown[] = [snapshot]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) refuse(`It nests deeper than ${MAX_DEPTH} levels.`)
    const inner: unknown[] = []
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue
      const values = Object.values(value)
      count += values.length
      if (count > MAX_VALUES) refuse(`It holds more than ${MAX_VALUES} values.`)
      inner.push(...values)
    }
    level = inner
  }
}

function refuse(message: string): never {
  throw new SnapshotError({ value: undefined, message, fix: 'Give the list of MoEngage, which has some hundred.' })
}
