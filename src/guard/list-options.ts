import { isProxyName } from '../client-ip/trusted-proxies.js'
import { readDataCenter } from '../directory/names.js'
import { SOURCE } from '../directory/source/read-source.js'
import type { SourceOption } from '../directory/source/source.js'
import { SUSPICIONS, type Suspicion } from '../errors.js'
import { compileMatcher } from '../ip/matcher.js'
import { Prefix, readPrefix } from '../ip/prefix.js'
import { coverHalf } from '../ip/special.js'
import { lazily } from '../lib/lazily.js'
import type { Option, OptionRule, OptionTable, OptionValues } from '../lib/option.js'
import { callback, duration, flag, refuseNoList } from '../lib/option-rules.js'
import { quoted, shown, suggestion } from '../lib/text.js'
import { DAY, type Duration, HOUR } from '../lib/time.js'
import type { GuardStatus } from './status.js'

/** Where the list is loaded from, and what is expected of it. */
export interface ListOptions {
  /**
   * Where the directory is loaded from: `{ file }`, `{ url }`, `{ page }` (MoEngage's help page), an async function, `{ name, load }`,
   * or `'bundled'`, the snapshot that is part of this package (`'bundled'`).
   */
  readonly source?: SourceOption | undefined
  /**
   * Suspicions about a list that you have checked and accept: `'wide'` (a prefix shorter than /16, IPv6 /32), `'private'`
   * (private or reserved), `'shrunk'` (more than half of the addresses of a data center in use gone), `'grown'` (more
   * than ten times as many addresses), `'older'` (than the list in use), `'future'` (dated in the future), `'changed'`
   * (more than twelve cells of the help page at once) (`[]`).
   */
  readonly confirm?: readonly Suspicion[] | undefined
  /** How long an address stays accepted after it was removed from the list; `0`: not at all (`'1d'`). */
  readonly gracePeriod?: Duration | undefined
  /** The age from which a list is stale (`'90d'`). */
  readonly staleAfter?: Duration | undefined
  /** Rejects what a stale list would accept, with the reason `stale-list` (`false`: a stale list is a warning). */
  readonly rejectWhenStale?: boolean | undefined
  /**
   * Called after every reload, manual or automatic, that brought a list into use or failed: with null and the new status, or with
   * the error. A failure that repeats is reported once.
   */
  readonly onReload?: ((error: Error | null, status: GuardStatus) => void) | undefined
}

/** A century: far away, and yet a date. */
const LONGEST = 36_525 * DAY

/** The option `confirm`. */
export const CONFIRM: OptionRule<ReadonlySet<Suspicion>> = {
  fallback: new Set(),
  example: `['shrunk']`,
  read: readConfirm
}

/** Options that concern the list, by name. */
export const LIST_OPTIONS = {
  source: SOURCE,
  confirm: CONFIRM,
  gracePeriod: duration({ fallback: DAY, example: `'1d'`, min: 0, max: LONGEST, doubtful: HOUR }),
  // MoEngage's addresses "change frequently".
  staleAfter: duration({ fallback: 90 * DAY, example: `'90d'`, min: 1, max: LONGEST, doubtful: DAY }),
  rejectWhenStale: flag(false),
  onReload: callback<NonNullable<ListOptions['onReload']>>('(error, status) => console.log(error, status.revision)')
} satisfies OptionTable

/** {@link ListOptions} that are right. */
export type ListSettings = Readonly<OptionValues<typeof LIST_OPTIONS>>

function readConfirm(option: Option): ReadonlySet<Suspicion> | undefined {
  const { value } = option
  if (!Array.isArray(value)) return refuseNoList(option, readConfirm, 'suspicions', `['shrunk']`)
  for (const item of option.items(value)) {
    const word = item.value
    if (SUSPICIONS.includes(word as Suspicion)) continue
    item.refuse(`${shown(word)} is not a known suspicion.`, suggestion(word, SUSPICIONS))
  }
  return new Set(value)
}

/** Addresses that no request comes from, with the reason: usually a placeholder that was left in place. */
const noClient = lazily(() =>
  compileMatcher(
    [
      ['192.0.2.0/24', 'is for documentation'],
      ['198.51.100.0/24', 'is for documentation'],
      ['203.0.113.0/24', 'is for documentation'],
      ['2001:db8::/32', 'is for documentation'],
      ['0.0.0.0/8', 'is not the address of a host'],
      ['::/128', 'is not the address of a host'],
      ['224.0.0.0/4', 'is for multicast'],
      ['ff00::/8', 'is for multicast'],
      ['240.0.0.0/4', 'is reserved, and where Cloudflare Pseudo IPv4 puts every IPv6 visitor']
    ].map(([prefix, why]) => ({ prefix: prefix!, grant: why! }))
  )
)

/** A placeholder: an address of a stranger would be let in where the advice is pasted. */
const EXAMPLE = `['192.0.2.1']`

/** The user's own lists of addresses and prefixes. */
export const EXTRA_ADDRESSES = {
  allow: {
    fallback: [],
    example: EXAMPLE,
    aliases: ['allowlist', 'allowList', 'whitelist'],
    decidesTrust: true,
    read: (option) =>
      readAddresses(option, true, 'It covers half of the internet or more, so it would verify strangers.')
  },
  deny: {
    fallback: [],
    example: EXAMPLE,
    aliases: ['denylist', 'denyList', 'blocklist', 'blacklist'],
    decidesTrust: true,
    read: (option) =>
      readAddresses(option, false, 'It covers half of the internet or more, so it would reject everyone.')
  }
} satisfies Record<string, OptionRule<readonly Prefix[]>>

/** @param isAccepting whether the addresses are expected to send requests */
function readAddresses(option: Option, isAccepting: boolean, tooWide: string): readonly Prefix[] | undefined {
  const { value } = option
  const read = (other: Option) => readAddresses(other, isAccepting, tooWide)
  if (!Array.isArray(value)) return refuseNoList(option, read, 'addresses and prefixes', EXAMPLE)
  const places = new Map<string, string>()
  const prefixes = option.items(value).flatMap((item) => {
    const prefix = readPrefix(item.value)
    if (!(prefix instanceof Prefix)) {
      const { message, fix } = otherName(item.value) ?? prefix
      item.refuse(message, fix, 'MOE_ERR_PREFIX')
      return []
    }
    const text = `${prefix}`
    const twin = places.get(text)
    const around = isAccepting ? noClient().entriesFor(prefix.address) : []
    const why = around.find((entry) => entry.prefix.contains(prefix))?.grant
    if (twin !== undefined) item.warn('MOE_WARN_EXTRA_ADDRESS', `${text} repeats ${twin}.`, 'Remove one of them.')
    else if (why !== undefined) {
      const message = `${text} ${why}; no request comes from it.`
      item.warn('MOE_WARN_EXTRA_ADDRESS', message, 'Replace it with the address that you mean.')
    }
    places.set(text, item.path)
    return [prefix]
  })
  if (!coverHalf(prefixes)) return prefixes
  return option.refuse(tooWide, 'List the addresses that you mean.', 'MOE_ERR_TRUSTS_EVERYONE')
}

/** A name that belongs into another option. */
function otherName(value: unknown): { readonly message: string; readonly fix: string } | undefined {
  if (typeof value !== 'string') return undefined
  if (isProxyName(value)) {
    return {
      message: `${quoted(value)} is a name of proxies; their addresses are never those of a sender.`,
      fix: 'Trust proxies in clientIp.trustedProxies, and list addresses and prefixes here.'
    }
  }
  const dataCenter = /[a-z]/i.test(value) ? readDataCenter(value) : undefined
  if (dataCenter === undefined || !('ok' in dataCenter)) return undefined
  return {
    message: `${quoted(value)} is the data center ${dataCenter.ok}, and no address.`,
    fix: 'Name data centers in dataCenters, and list addresses and prefixes here.'
  }
}
