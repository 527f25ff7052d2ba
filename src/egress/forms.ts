import { addressesOf, type Block, blockOf, prefixesOf } from './block.js'

/**
 * The four places in which MoEngage takes your addresses:
 *
 * - `api-firewall`: Settings, Account, Security, API firewall. One rule a value, published by hand.
 * - `data-api`: the whitelisting of all Data APIs of a workspace, by a support ticket.
 * - `dashboard`: Settings, Account, Security, Firewall, which protects the login.
 * - `open-analytics`: console and API of Open Analytics, by a support ticket.
 */
export type EgressTarget = 'api-firewall' | 'data-api' | 'dashboard' | 'open-analytics'

/** What a form is known to take and to do. Nothing here goes beyond MoEngage's pages; what they do not state is so marked. */
export interface Form {
  readonly title: string
  /** In the repository `moengage/moengage-documentation`. */
  readonly page: string
  /** Whether it takes ranges `a - b` and prefixes; what it does not take is split. */
  readonly takes: 'ranges' | 'prefixes' | 'addresses'
  /** Whether its page says that it takes IPv6. None says that it does not. */
  readonly statesIPv6: boolean
  /** What the person who fills it in must know, a sentence each. */
  readonly notes: readonly string[]
}

/** The most single addresses that a list for a form becomes which takes nothing else. */
export const MOST_ADDRESSES = 256n

/** The blocks as which a form takes a block. */
export function splitFor(takes: Form['takes'], block: Block): readonly Block[] {
  if (takes === 'addresses') return addressesOf(block)
  return takes === 'ranges' && block.family === 4 ? [block] : prefixesOf(block).map(blockOf)
}

const PROOF =
  'A call that succeeds does not show that the list is enforced. Only a call that is refused, from an address outside of it, does.'
const NOT_STATED =
  "Not stated on MoEngage's page: how many entries it takes, how to separate them, and whether IPv6 is taken."

export const FORMS: Readonly<Record<EgressTarget, Form>> = {
  'api-firewall': {
    title: 'API Firewall',
    page: 'user-guide/settings/account/security/api-firewall.mdx',
    takes: 'ranges',
    statesIPv6: true,
    notes: [
      'A rule is Unpublished after it is added, and again after every edit: it has no effect until you publish it.',
      'Add all rules first and publish them together. A category is enforced for everybody as soon as one published rule covers it, and open again when the last one goes.',
      'It fails open: when the firewall itself fails, calls are let through.',
      'Rules take effect at once or after about 15 minutes; revisions of the page differ.',
      'Not stated on the page: how many rules it takes, and what a refused caller reads in the body of the 403.',
      PROOF
    ]
  },
  'data-api': {
    title: 'Data API whitelisting',
    page: 'user-guide/settings/account/security/ip-whitelisting-in-moengage.mdx',
    takes: 'prefixes',
    statesIPv6: false,
    notes: [
      'It covers all Data APIs of the workspace, and cannot be enabled for single ones.',
      'It is enforced some minutes after support has made the change. Callers outside of the list then get 403 with "IP Validation Failed".',
      'Not stated on the page: a subject for the ticket; this one is ours.',
      NOT_STATED,
      PROOF
    ]
  },
  dashboard: {
    title: 'Dashboard Firewall',
    page: 'user-guide/settings/account/security/firewall.mdx',
    takes: 'prefixes',
    statesIPv6: false,
    notes: [
      'Add them with the type Allowed. They are enforced as soon as they are saved.',
      'MoEngage refuses to save a list that would lock you out yourself: the address that you are logged in from must be among them.',
      'Its page warns: never enter a /0 or /32 with the type Blocked.',
      NOT_STATED,
      PROOF
    ]
  },
  'open-analytics': {
    title: 'Open Analytics',
    page: 'user-guide/analyze/custom-analysis/open-analytics.mdx',
    takes: 'addresses',
    statesIPv6: false,
    notes: [
      'The page asks for "the static IP address", so prefixes and ranges are written as single addresses.',
      'Not stated on the page: how long it takes, and what a refused caller sees.',
      NOT_STATED,
      PROOF
    ]
  }
}

/** Every {@link EgressTarget}. */
export const EGRESS_TARGETS: readonly EgressTarget[] = Object.freeze(Object.keys(FORMS) as EgressTarget[])
