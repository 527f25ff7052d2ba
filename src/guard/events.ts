import { channel } from 'node:diagnostics_channel'
import type { Channel, DataCenter } from '../directory/names.js'
import type { Verdict } from '../verdict/verdict.js'

/** Published to the diagnostics channel `moengage-allowlist:verdict` for each request that is judged. */
export interface VerdictEvent {
  /** Addresses of rejected senders are redacted by `redactAddress`. */
  readonly verdict: Verdict
  /** What the route accepts. */
  readonly policy: {
    /** Its data centers. */
    readonly dataCenters: readonly DataCenter[]
    /** Its channels. */
    readonly channels: readonly Channel[]
  }
  /** The pattern of the route; null where none is known, `(other)` for all routes beyond the first thousand. */
  readonly route: string | null
}

/** Published to the diagnostics channel `moengage-allowlist:reload` after each load of the list, successful or not. */
export interface ReloadEvent {
  /** The revision in use after the load. */
  readonly revision: string
  /** The message of the error; null when the load succeeded. */
  readonly error: string | null
}

/** Costs a look at `hasSubscribers` while nobody listens. */
export const verdictChannel = channel('moengage-allowlist:verdict')
export const reloadChannel = channel('moengage-allowlist:reload')
