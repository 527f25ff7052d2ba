import type { Timings } from '../measure/rounds.js'
import type { AppName } from './apps.js'
import type { Traffic } from './requests.js'

/** A base, a second copy of it, and other applications, which answer the same requests in turns. */
export interface Comparison {
  readonly base: AppName
  readonly others: readonly AppName[]
  readonly traffic: Traffic
  readonly log: boolean
  readonly rounds: number
  /** Requests a slice. */
  readonly requests: number
  readonly seed: number
}

export interface Measured {
  /** Nanoseconds a request by application, one number a slice. */
  readonly timings: Timings
  /** The status that each application answered with. */
  readonly statuses: Record<string, number>
}
