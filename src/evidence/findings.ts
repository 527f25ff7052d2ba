import { counted, DENIED_BY, isRedacted } from '../senders/diagnosis.js'
import { openOf } from '../senders/open.js'
import { dataCentersWith, type PlacesContext, placesOf, routesText, stanceOf, wideningOf } from '../senders/places.js'
import type { Sender } from '../senders/senders.js'
import type { Reason } from '../verdict/verdict.js'

/** Every {@link FindingKind}, the most serious first. */
export const FINDING_KINDS = [
  'list-aged',
  'stale-list',
  'other-data-center',
  'other-channel',
  'denied',
  'proxy',
  'unresolved',
  'without-secret',
  'check-failed'
] as const

/**
 * What your secret gives away:
 *
 * - `list-aged`: requests with it come from addresses that are not listed: MoEngage calls from there.
 * - `stale-list`, `other-data-center`, `other-channel`, `denied`: requests with it are rejected for this reason.
 * - `proxy`: requests with it seem to come from your own proxy or network, which hides the sender.
 * - `unresolved`: requests with it have no client IP that can be relied on.
 * - `without-secret`: verified requests do not carry it, and `expectSecret` is set.
 * - `check-failed`: `carriesSecret` throws, or returns something else than true or false.
 */
export type FindingKind = (typeof FINDING_KINDS)[number]

/** Something that your secret gives away, and what to do about it. */
export interface Finding {
  /** What it is. */
  readonly kind: FindingKind
  /** What happened and what to do, in a few sentences. */
  readonly sentence: string
  /** How many requests it is about; of addresses, those of the last seven days. */
  readonly count: number
  /** The addresses, those with the most requests first, at most twenty; redacted by `redactAddress` where they were rejected. */
  readonly addresses: readonly string[]
  /** What to paste into the options of the guard, such as `allow: ['203.0.113.9']`; null where none of them is to be changed. */
  readonly paste: string | null
  /** The text of a ticket for MoEngage's support; null where the support cannot help. */
  readonly ticket: string | null
}

/** A verified address whose requests did not carry the secret. */
export interface SenderWithoutSecret {
  readonly clientIp: string
  /** Whether your own `allow`, and not MoEngage's list, verified its requests. */
  readonly isOwn: boolean
  /** How many requests came without the secret. */
  readonly count: number
  /** The patterns of their routes, at most eight. */
  readonly routes: readonly string[]
}

/** What findings are made of. */
export interface Evidence extends PlacesContext {
  /**
   * Senders of which requests with the secret are rejected for a reason, those with the most such requests first.
   *
   * @param isOwn only addresses of the receiver's own set-up (a trusted proxy, a private or a provider's address), or only others
   */
  readonly senders: (reason: Reason, isOwn?: boolean) => readonly Sender[]
  /** Requests with the secret and without a client IP. */
  readonly unresolved: number
  readonly withoutSecret: readonly SenderWithoutSecret[]
  /** How many more verified requests came without the secret, of addresses that nothing names. */
  readonly unnamedWithoutSecret?: number
  /** How often `carriesSecret` failed. */
  readonly failures: number
  /** The list that was judged by, as a ticket names it: `of 2026-11-20 (revision f7b9336)`. */
  readonly list: string
  /** How the senders are denied that are denied, behind "is". */
  readonly deniedBy?: string
}

/** Maximum number of addresses of a finding. */
const MAX_ADDRESSES = 20
/** Maximum number of addresses in a sentence. */
const NAMED = 3

/** What the secret gives away, the most serious first. */
export function findingsOf(evidence: Evidence): Finding[] {
  const of = (reason: Reason) => evidence.senders(reason)
  // A sender may have been rejected for both reasons.
  const proxies = new Map(
    [...evidence.senders('not-listed', true), ...of('proxy-not-configured')].map((sender) => [sender.clientIp, sender])
  )
  return [
    ...about(evidence.senders('not-listed', false), ['not-listed'], (group) => listAged(group, evidence)),
    ...about(of('stale-list'), ['stale-list'], (group) => ({
      kind: 'stale-list',
      sentence: `${group.named} ${group.verb} your secret and ${group.are} rejected because the list is stale: load a newer one.`
    })),
    ...about(of('other-data-center'), ['other-data-center'], (group) => otherDataCenter(group, evidence)),
    ...about(of('other-channel'), ['other-channel'], (group) => otherChannel(group, evidence)),
    ...about(of('denied'), ['denied'], (group) => ({
      kind: 'denied',
      sentence:
        `${group.named} ${group.verb} your secret and ${group.are} ${evidence.deniedBy ?? DENIED_BY}: remove ${group.them} ` +
        'there.'
    })),
    ...about([...proxies.values()], ['not-listed', 'proxy-not-configured'], (group) => ({
      kind: 'proxy',
      sentence:
        `${group.named} ${group.verb} your secret and ${group.are} of your own network or of a provider in front of it, or ${group.names} a further ` +
        `sender in a header, or nobody on the internet has ${group.them}: it is a test of your own, or the sender is hidden behind a proxy, or MoEngage sends that header from an address that the list lacks. Follow ` +
        'the hint in the log. Do not add the address to allow: behind a proxy that would let everybody in.'
    })),
    ...(evidence.unresolved === 0 ? [] : [unresolved(evidence.unresolved)]),
    ...withoutSecret(
      evidence.withoutSecret.filter(({ isOwn }) => !isOwn),
      evidence.unnamedWithoutSecret ?? 0
    ),
    ...ownWithoutSecret(evidence.withoutSecret.filter(({ isOwn }) => isOwn)),
    ...(evidence.failures === 0 ? [] : [checkFailed(evidence.failures)])
  ]
}

/** Senders, with the words for them. */
interface Group {
  readonly senders: readonly Sender[]
  readonly addresses: readonly string[]
  readonly count: number
  /** "203.0.113.9 (12 requests)" or "3 addresses (203.0.113.9, …)". */
  readonly named: string
  readonly verb: 'carries' | 'carry'
  readonly names: 'names' | 'name'
  readonly are: 'is' | 'are'
  readonly them: 'it' | 'them'
}

type Said = Pick<Finding, 'kind' | 'sentence'> & Partial<Pick<Finding, 'paste' | 'ticket'>>

function about(senders: readonly Sender[], reasons: readonly Reason[], say: (group: Group) => Said): Finding[] {
  if (senders.length === 0) return []
  const countOf = (sender: Sender) => withSecretFor(sender, ...reasons)
  const count = senders.reduce((sum, sender) => sum + countOf(sender), 0)
  const addresses = senders.slice(0, MAX_ADDRESSES).map(({ clientIp }) => clientIp)
  const isOne = senders.length === 1
  const group: Group = {
    senders,
    addresses,
    count,
    named: named(addresses, senders.length, counted(count, 'request')),
    verb: isOne ? 'carries' : 'carry',
    names: isOne ? 'names' : 'name',
    are: isOne ? 'is' : 'are',
    them: isOne ? 'it' : 'them'
  }
  return [{ count, addresses, paste: null, ticket: null, ...say(group) }]
}

function withSecretFor(sender: Sender, ...reasons: Reason[]): number {
  const { withSecret } = openOf(sender)
  return reasons.reduce((sum, reason) => sum + (withSecret[reason] ?? 0), 0)
}

function named(addresses: readonly string[], total: number, requests: string): string {
  if (total === 1) return `${addresses[0]} (${requests})`
  const shown = addresses.slice(0, NAMED).join(', ')
  const more = total > NAMED ? `, and ${total - NAMED} more` : ''
  return `${total} addresses (${shown}${more}; ${requests})`
}

/** The option that accepts addresses; null where `redactAddress` shortened one or replaced it, so that nobody accepts a network. */
export function pasteFor(addresses: readonly string[]): string | null {
  if (addresses.some(isRedacted)) return null
  return `allow: [${addresses.map((address) => `'${address}'`).join(', ')}]`
}

function listAged({ senders, addresses, named, verb, are, them }: Group, evidence: Evidence): Said {
  const start = `${named} ${verb} your secret and ${are} not listed: MoEngage calls from `
  const cause = 'addresses that the list lacks, or static IPs are not enabled for the channel.'
  const paste = pasteFor(addresses)
  if (paste === null) {
    return {
      kind: 'list-aged',
      sentence: `${start}${cause} redactAddress hides the addresses; onVerdict receives them in full.`
    }
  }
  return {
    kind: 'list-aged',
    sentence: `${start}${cause} Unless you made the requests yourself or a proxy of yours has the address, accept ${senders.length > addresses.length ? `the first ${addresses.length}` : them} with ${paste} and ask MoEngage's support.`,
    paste,
    ticket: ticketOf(senders, evidence)
  }
}

function otherDataCenter({ senders, named, verb, are }: Group, evidence: Evidence): Said {
  const kind = 'other-data-center'
  const { dataCenters } = evidence
  const start = `${named} ${verb} your secret and ${are} MoEngage's, of `
  const own = [...new Set(senders.flatMap(({ listedFor }) => listedFor.map(({ dataCenter }) => dataCenter)))].sort()
  const isAccepted = (names: readonly string[]) => names.every((name) => dataCenters.includes(name))
  const places = placesOf(kind, senders, evidence)
  const ofGuard = places.find(({ isGuard }) => isGuard)
  if (places.some(({ isGuard }) => !isGuard)) {
    const advice = places.map((place) => {
      const { isGuard, missing } = place
      const but = !isGuard && isAccepted(missing) ? `you accept ${missing.join(', ')}, but ` : ''
      return `${but}${stanceOf(place)}: ${wideningOf(place)}`
    })
    return {
      kind,
      sentence: `${start}${own.join(', ')}, and your workspace is there; ${advice.join('; ')}.`,
      paste: ofGuard === undefined ? null : dataCentersWith(dataCenters, ofGuard.missing)
    }
  }
  const there = `${start}a data center that you do not accept: your workspace is there.`
  if (own.length === 0) return { kind, sentence: `${there} Add it to dataCenters.` }
  if (isAccepted(own)) {
    return {
      kind,
      sentence: `${start}${own.join(', ')}, and your workspace is there; you accept it, but a route does not: add it to the dataCenters of that route.`
    }
  }
  const paste = dataCentersWith(dataCenters, own)
  return { kind, sentence: `${there} Write ${paste}.`, paste }
}

function otherChannel({ senders, named, verb, are }: Group, evidence: Evidence): Said {
  const kind = 'other-channel'
  const places = placesOf(kind, senders, evidence)
  const ofRoutes = places.filter(({ isGuard }) => !isGuard)
  const routes = ofRoutes.map((place) => routesText(place)).join(' and ')
  const start = `${named} ${verb} your secret and ${are} published for channels that`
  const advice = "MoEngage uses any address of a data center, so accept them all with channels: 'all'"
  if (ofRoutes.length > 0 && ofRoutes.length === places.length) {
    return { kind, sentence: `${start} are not accepted on ${routes}: ${advice} there.` }
  }
  const too = routes === '' ? '' : `, on ${routes} as well`
  return { kind, sentence: `${start} the route does not accept: ${advice}${too}.`, paste: "channels: 'all'" }
}

function unresolved(count: number): Finding {
  return {
    kind: 'unresolved',
    sentence:
      `${counted(count, 'request')} with your secret had no client IP that can be relied on: the hint in the log says what is wrong ` +
      'with the header or the connection.',
    count,
    addresses: [],
    paste: null,
    ticket: null
  }
}

function withoutSecret(senders: readonly SenderWithoutSecret[], unnamed: number): Finding[] {
  if (senders.length === 0 && unnamed === 0) return []
  const { count, addresses, where, from } = wordsFor(senders)
  const what =
    unnamed === 0
      ? `Verified requests${where} came without your secret${from}`
      : `${counted(count + unnamed, 'verified request')} came without your secret${from === '' ? '' : `, some of them${where}${from}`}`
  return [
    {
      kind: 'without-secret',
      sentence:
        `${what}: another customer of MoEngage calls you, or the secret was not entered for the channel. Enter it, or reject such ` +
        'requests in your handler.',
      count: count + unnamed,
      addresses,
      paste: null,
      ticket: null
    }
  ]
}

function ownWithoutSecret(senders: readonly SenderWithoutSecret[]): Finding[] {
  if (senders.length === 0) return []
  const { count, addresses, where, from } = wordsFor(senders)
  const sentence = `Requests${where} that your own allow accepts came without your secret${from}: let their sender send it as well.`
  return [{ kind: 'without-secret', sentence, count, addresses, paste: null, ticket: null }]
}

function wordsFor(senders: readonly SenderWithoutSecret[]) {
  const count = senders.reduce((sum, sender) => sum + sender.count, 0)
  const addresses = senders.slice(0, MAX_ADDRESSES).map(({ clientIp }) => clientIp)
  const routes = [...new Set(senders.flatMap((sender) => sender.routes))].slice(0, NAMED)
  const where = routes.length === 0 ? '' : ` on ${routes.join(', ')}`
  const from = senders.length === 0 ? '' : `, from ${named(addresses, senders.length, counted(count, 'request'))}`
  return { count, addresses, where, from }
}

function checkFailed(count: number): Finding {
  return {
    kind: 'check-failed',
    sentence:
      `Your carriesSecret function failed for ${counted(count, 'request')}: it threw, or returned something else than true or false. ` +
      'The log has the first failure.',
    count,
    addresses: [],
    paste: null,
    ticket: null
  }
}

/** A ticket for MoEngage's support: plain text, its subject in the first line. */
function ticketOf(senders: readonly Sender[], { dataCenters, list }: Evidence): string {
  const time = (at: number) => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  const lines = senders.slice(0, MAX_ADDRESSES).map((sender) => {
    const { clientIp, firstSeen, lastSeen, routes } = sender
    const where = routes.length === 0 ? '' : `, to ${routes.join(', ')}`
    const when = lastSeen === 0 ? '' : `, from ${time(firstSeen)} to ${time(lastSeen)}`
    return `- ${clientIp}: ${counted(withSecretFor(sender, 'not-listed'), 'request')}${when}${where}`
  })
  const workspace = dataCenters.length === 0 ? '' : ` Our workspace is in ${dataCenters.join(', ')}.`
  return [
    'Subject: Requests from addresses that are not on the page "IP Whitelisting in MoEngage"',
    '',
    `Our server received requests that carry the secret of our workspace from addresses that your page ${list} does not list.${workspace}`,
    '',
    ...lines,
    '',
    'Please tell us:',
    '1. Are these addresses yours, for which channels, and will the page list them?',
    '2. Is "Send via Static IPs" enabled for the channels that we use?'
  ].join('\n')
}
