import type { Listing } from './listing.js'

/** One way to write the addresses down. */
export interface Format {
  /** What it is, in one line. */
  readonly about: string
  /** Which names it accepts; left out where it names nothing. */
  readonly name?: NameRule
  /** Whether it guards one TCP port. */
  readonly port?: true
  /** Throws an ExportError where the format cannot express the listing. */
  readonly write: (listing: Listing) => string
}

/** Names stand in the file unquoted or quoted, so they are made of letters that need no escape in either. */
export interface NameRule {
  readonly pattern: RegExp
  /** What the name stands for and what it is made of, as part of a sentence. */
  readonly rule: string
}
