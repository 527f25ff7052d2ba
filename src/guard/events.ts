import { channel } from 'node:diagnostics_channel'
import type { Channel, DataCenter } from '../directory/names.js'
import type { Verdict } from '../verdict/verdict.js'

/** Published to the diagnostics channel `moengage-allowlist:verdict` for each request that was judged. */
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
  /** The pattern of the route; null where none is known. */
  readonly route: string | null
}

/** Published to the diagnostics channel `moengage-allowlist:reload` when the list was loaded anew, or could not be. */
export interface ReloadEvent {
  /** The revision in use after it. */
  readonly revision: string
  /** What it failed with; null when it did not. */
  readonly error: string | null
}

/** Free while nobody listens: a look at `hasSubscribers`. */
export const verdictChannel = channel('moengage-allowlist:verdict')
export const reloadChannel = channel('moengage-allowlist:reload')
