import type { ClientIpResolver } from '../client-ip/resolver.js'
import type { Channel, DataCenter } from '../directory/names.js'
import { ParsedAddress } from '../ip/address.js'
import { AWAIT_FIX, isUnwantedPromise } from '../lib/promise.js'
import { quoted } from '../lib/text.js'
import { rejectedVerdict, type Verdict, type VerifiedVerdict } from '../verdict/verdict.js'
import { isCell, type ListGrant } from './compiled-list.js'
import type { Policy } from './policy.js'
import type { Rejections } from './rejections.js'
import { isRemoved } from './removals.js'

/** All there is to say about one address, for support and tests. */
export interface Explanation {
  /** One line. */
  readonly text: string
  /**
   * The verdict of a request whose client IP is this address; its `peer` is null. Of an address that may be your own proxy, the hint says
   * what its requests, which nobody has seen, would mean with a forwarded header and without one.
   */
  readonly verdict: Verdict
  /** Whether the address is one of your trusted proxies. */
  readonly isTrustedProxy: boolean
  /** The entries that contain the address, longest prefix first. */
  readonly entries: readonly {
    /** In CIDR notation, always with the length: `52.6.248.125/32`. */
    readonly prefix: string
    /** A cell of MoEngage's page, as `DC-01 streams`, your own list, `allow` or `deny`, or an override: `override 1f0c8a3e allow`. */
    readonly grant: string
  }[]
}

/** An explanation by one policy. */
export interface PolicyExplanation extends Explanation {
  /** The data centers that the policy accepts. */
  readonly dataCenters: readonly DataCenter[]
  /** The channels that the policy accepts. */
  readonly channels: readonly Channel[]
}

/** What decides about an address, besides what the route accepts. */
export interface Judging {
  readonly rejections: Rejections<never>
  readonly resolver: ClientIpResolver
}

/** Explains an address by what a route accepts of a list. Nothing is known of its requests, so the hint says what depends on them. */
export function explain(ip: string, policy: Policy, { rejections, resolver }: Judging): Explanation {
  const { matcher, revision } = policy.list
  const about = { peer: null, revision, carriesSecret: null }
  const parsed = new ParsedAddress()
  if (typeof ip !== 'string' || parsed.parse(ip, 0, ip.length) === 0) {
    const isPromise = isUnwantedPromise(ip)
    const hint = isPromise ? `A promise is not an IP address. ${AWAIT_FIX}` : `${quoted(`${ip}`)} is not an IP address.`
    return {
      text: hint,
      verdict: rejectedVerdict({ clientIp: null, reason: 'unresolved', hint, override: null, ...about }),
      isTrustedProxy: false,
      entries: []
    }
  }
  const address = parsed.toAddress()
  const entries = matcher.entriesFor(address).map(({ prefix, grant }) => ({
    prefix: prefix.toString(),
    grant: grantText(grant)
  }))
  const set = matcher.lookup(parsed)
  const isTrustedProxy = resolver.trusts(parsed)
  if (policy.isSender(set, parsed, resolver)) {
    const verdict = policy.verdictOn(address)
    return { text: verifiedText(verdict), verdict, isTrustedProxy, entries }
  }
  const { reason, hint, override = null } = rejections.of(policy, set, parsed, null, undefined)
  return {
    text: `${address} is rejected (${reason}): ${hint}`,
    verdict: rejectedVerdict({ clientIp: address.toString(), reason, hint, override, ...about }),
    isTrustedProxy,
    entries
  }
}

function grantText(grant: ListGrant): string {
  if (typeof grant === 'string') return grant
  if (!isCell(grant)) return `override ${grant.override.id} ${grant.effect}`
  const cell = `${grant.dataCenter} ${grant.channel}`
  return isRemoved(grant) ? `${cell} (removed, accepted until ${new Date(grant.until).toISOString()})` : cell
}

function verifiedText({ clientIp, dataCenter, channels, matched, graceUntil, override }: VerifiedVerdict): string {
  if (override !== null) return `${clientIp} is verified: ${matched} is in the override ${override.id}.`
  const what = dataCenter === null ? 'your "allow" list' : `MoEngage ${dataCenter} (${channels.join(', ')})`
  if (graceUntil !== null)
    return `${clientIp} is verified: ${matched} was in ${what}, and is accepted until ${graceUntil}.`
  return `${clientIp} is verified: ${matched} is in ${what}.`
}
