import { html } from 'ghtml'
import { CHANNELS, type Channel, rowName } from '../directory/names.js'
import type { Replica } from '../guard/fleet.js'
import { DAY, HOUR, MINUTE } from '../lib/time.js'
import type { Reason } from '../verdict/verdict.js'

/** The reasons of a rejection, for people who have not read the documentation. */
export const REASON_WORDS: Readonly<Record<Reason, string>> = {
  'not-listed': 'Not on MoEngage’s list',
  'other-data-center': 'MoEngage, but another data center',
  'other-channel': 'MoEngage, but another channel',
  'stale-list': 'MoEngage, but the list is too old',
  denied: 'Denied by your deny list or an override',
  unresolved: 'No address to rely on',
  'proxy-not-configured': 'Your own proxy, which is not configured',
  'permissive-trust': 'Every sender could choose its address'
}

const FORMAT = new Intl.NumberFormat('en-US')

export const number = (count: number): string => FORMAT.format(count)

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${number(count)} ${count === 1 ? one : many}`

/** Names in one text: "a, b and c". */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

/** Channels as MoEngage's page names them. */
export const channelNames = (channels: readonly Channel[]): string =>
  // Another server of a fleet may report one that this version does not know.
  listed(channels.map((channel) => (CHANNELS.includes(channel) ? rowName(channel) : channel)))

/** The same, by their number where they are many. */
export const channelsOrCount = (channels: readonly Channel[]): string =>
  channels.length > 4 ? `${number(channels.length)} channels` : channelNames(channels)

const UNITS = [
  ['day', DAY],
  ['hour', HOUR],
  ['minute', MINUTE]
] as const

/** How long ago something was, in the largest unit that fits. */
export function ago(milliseconds: number): string {
  const unit = UNITS.find(([, length]) => milliseconds >= length)
  return unit === undefined ? 'less than a minute ago' : `${plural(Math.floor(milliseconds / unit[1]), unit[0])} ago`
}

/** A time, in UTC until the script writes it in the reader's zone. */
export function timeTag(at: number): string {
  const iso = new Date(at).toISOString()
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC</time>`
}

/** A time with how long ago it was, as of `now`. */
export function timeAgo(at: number, now: number): string {
  return html`${ago(now - at)} <span class="when">!${timeTag(at)}</span>`
}

/** Maximum number of servers that are named. */
const NAMED = 3

/** Servers of a fleet by their names: "web-1, process 4711; web-2, process 12". */
export function serversText(servers: readonly Pick<Replica, 'host' | 'pid'>[]): string {
  return servers
    .slice(0, NAMED)
    .map(({ host, pid }) => `${host}, process ${pid}`)
    .join('; ')
}
