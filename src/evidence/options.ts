import type { Option, OptionRule, OptionTable } from '../lib/option.js'
import { secretHeader } from './secret-header.js'

/** Evidence beside the address. */
export interface EvidenceOptions<Request> {
  /**
   * Whether a request carries your secret, such as the function that `secretHeader` makes. Called for requests whose address is not
   * verified, and changes no decision: an unlisted sender with your secret is MoEngage at an address that the list lacks, and the
   * log, `status()`, the metrics and `report` say so (not called).
   */
  readonly carriesSecret?: ((request: Request) => boolean) | undefined
  /**
   * Calls `carriesSecret` for verified requests as well, and reports those without your secret: calls of another customer of
   * MoEngage, or of a channel whose secret was not entered. They are not rejected (`false`).
   */
  readonly expectSecret?: boolean | undefined
}

const EXAMPLE = `secretHeader('x-moe-token', 'eight characters or more')`

const CARRIES_SECRET: OptionRule<((request: never) => unknown) | undefined> = {
  fallback: undefined,
  example: EXAMPLE,
  // People pass the secret itself.
  isSecret: true,
  aliases: ['secret', 'secrets', 'secretHeader', 'hasSecret'],
  read: readCarriesSecret
}

function readCarriesSecret(option: Option): ((request: never) => unknown) | undefined {
  const { value } = option
  if (value === secretHeader) {
    return option.refuse('secretHeader was passed without a call; it makes the function.', `Write ${EXAMPLE}.`)
  }
  if (typeof value === 'function') return value as (request: never) => unknown
  return option.refuse('The value is not a function.', `Write ${EXAMPLE}, or a function of your own.`)
}

const EXPECT_SECRET: OptionRule<boolean> = {
  fallback: false,
  // It is true only beside `carriesSecret`.
  example: 'false',
  // People pass the secret itself.
  isSecret: true,
  read: (option) =>
    typeof option.value === 'boolean'
      ? option.value
      : option.refuse('The value is not true or false.', 'Write false, or true beside carriesSecret.')
}

/** Options that concern evidence, by name. */
export const EVIDENCE_OPTIONS = {
  carriesSecret: CARRIES_SECRET,
  expectSecret: EXPECT_SECRET
} satisfies OptionTable

/** What to write beside `expectSecret`. */
export const EXPECT_SECRET_FIX = `Write carriesSecret: ${EXAMPLE} beside it.`
