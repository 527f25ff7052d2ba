import { getHeapSpaceStatistics } from 'node:v8'
import { type Contender, ownFunction } from './rounds.js'
import { median } from './statistics.js'

/** A child needs these, so that no collection falls into the measurement. */
export const ALLOCATION_FLAGS = ['--expose-gc', '--min-semi-space-size=128', '--max-semi-space-size=128']

const WARM_UP_CALLS = 30_000
const WARM_UP_MS = 250
const MOST_BYTES = 32 * 1024 * 1024

/**
 * Bytes that a call leaves on the JavaScript heap, exactly: the growth of the young generation over thousands of calls,
 * with a nursery so large that nothing is collected meanwhile. What the compiler allocates goes elsewhere.
 */
export function bytesPerCall<Input>({ run, fresh, batch = 512 }: Omit<Contender<Input>, 'name'>): number {
  const call = ownFunction(run)
  const deadline = performance.now() + WARM_UP_MS
  let calls = 0
  for (; calls < WARM_UP_CALLS && performance.now() < deadline; calls++) call(fresh())
  const count = Math.min(calls, batch * 8, Math.ceil(MOST_BYTES / Math.max(grown(call, fresh, 8) / 8, 1)))
  const nothing = ownFunction<Input>(() => false)
  const samples = Array.from({ length: 3 }, () => (grown(call, fresh, count) - grown(nothing, fresh, count)) / count)
  const bytes = median(samples)
  return Math.abs(bytes) < 0.5 ? 0 : bytes
}

function grown<Input>(call: (input: Input) => void, fresh: () => Input, count: number): number {
  const inputs = Array.from({ length: count }, fresh)
  globalThis.gc!({ type: 'minor' })
  const before = youngBytes()
  for (let i = 0; i < count; i++) call(inputs[i]!)
  return youngBytes() - before
}

function youngBytes(): number {
  let bytes = 0
  for (const space of getHeapSpaceStatistics()) {
    if (space.space_name.startsWith('new_')) bytes += space.space_used_size
  }
  return bytes
}
