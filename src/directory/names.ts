import { ChannelError, DataCenterError, type Problem } from '../errors.js'
import { fixFor } from '../lib/promise.js'
import { quoted, shown, suggestion } from '../lib/text.js'

/** The data centers that MoEngage publishes addresses for. */
export const DATA_CENTERS = Object.freeze(['DC-01', 'DC-02', 'DC-03', 'DC-04', 'DC-05', 'DC-06', 'DC-101'] as const)

/** A MoEngage data center: the cluster that a workspace lives in. It is part of the dashboard's host name. */
export type DataCenter = (typeof DATA_CENTERS)[number]

type NumberOf<Id> = Id extends `DC-${infer Digits}` ? Digits : never

/**
 * A data center in TypeScript: its id, or the host name or URL of a dashboard or API, which carries the number. For text from
 * outside, in any spelling, use {@link parseDataCenter}.
 */
export type DataCenterName = DataCenter | `${string}-${NumberOf<DataCenter>}.moengage.com${string}`

/** Our channel ids, with the names of the rows on MoEngage's page. */
export const ROW_NAMES = {
  connector: ['Connector Campaigns'],
  sms: ['SMS Campaigns'],
  whatsapp: ['WhatsApp Campaigns'],
  email: ['Email Campaigns'],
  push: ['Push Campaigns'],
  'content-api': ['Content API or Fetch PII Token', 'Content API', 'Fetch PII Token'],
  'data-import': ['Data Imports'],
  'warehouse-export': ['Data Warehouse Exports'],
  streams: ['Streams', 'Streams/Partner Exports'],
  'segment-sync': ['Outbound Segment Sync'],
  'file-segment': ['File Segment API'],
  catalog: ['Catalog and Feeds']
} as const

/** A kind of call that MoEngage makes to a server: a row of its page. */
export type Channel = keyof typeof ROW_NAMES

/** All channels, in the order of MoEngage's page. */
export const CHANNELS: readonly Channel[] = Object.freeze(Object.keys(ROW_NAMES) as Channel[])

/** The name of a channel as MoEngage's page writes it. */
export function rowName(channel: Channel): string {
  return ROW_NAMES[channel][0]
}

const fold = (text: string) =>
  text
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, '-')

const CHANNEL_BY_NAME = new Map<string, Channel>(
  CHANNELS.flatMap((channel) => [channel, ...ROW_NAMES[channel]].map((name) => [fold(name), channel] as const))
)

/** A number as MoEngage writes it: `1`, `01`, `101`, never `001`. */
const NUMBER = '(0?[1-9]|[1-9][0-9]+)'
const IDENTIFIER = new RegExp(`^(?:(?:dc|data-?center)-?)?${NUMBER}$`)
const HOST = new RegExp(`^(?:https?://)?[a-z0-9]+-${NUMBER}\\.moengage\\.com(?:[:/?#].*)?$`)
/** The names of the regions in RudderStack's MoEngage destination. A bare region counts only with RudderStack's signature. */
const RUDDERSTACK = new Map<string, DataCenter>([
  ['us-(rudderstack)', 'DC-01'],
  ['eu-(rudderstack)', 'DC-02'],
  ['ind-(rudderstack)', 'DC-03'],
  ['us-dc-04', 'DC-04'],
  ['us-dc-04-(rudderstack)', 'DC-04'],
  ['sgp-dc-05', 'DC-05'],
  ['sgp-dc-05-(rudderstack)', 'DC-05'],
  ['idn-dc-06', 'DC-06'],
  ['idn-dc-06-(rudderstack)', 'DC-06']
])

/** Common names of regions. A region can hold several data centers, so its name alone is refused. */
const REGIONS: readonly [names: RegExp, dataCenters: readonly DataCenter[]][] = [
  [/^(?:us|usa|united-states|america)$/, ['DC-01', 'DC-04']],
  [/^(?:eu|europe)$/, ['DC-02']],
  [/^(?:in|ind|india)$/, ['DC-03']],
  [/^(?:sg|sgp|singapore)$/, ['DC-05']],
  [/^(?:id|idn|indonesia)$/, ['DC-06']]
]

const PLACEHOLDER = /\{[^{}]*\}|<[^<>]*>|-0?x+\b/
const WHERE_TO_LOOK = 'Look at the host name of your dashboard: https://dashboard-01.moengage.com is DC-01.'

/** Other words for channels. */
const CALLED: readonly (readonly [words: RegExp, channel: Channel])[] = [
  [/^(?:web-?hooks?|https?|(?:custom-)?connectors?(?:-campaign)?)$/, 'connector'],
  [/^e-mails?$/, 'email'],
  [/^(?:fetch-)?pii(?:-tokens?)?$/, 'content-api'],
  [/^(?:outbound-)?(?:segments?|cohorts?|audiences?)-syncs?$/, 'segment-sync']
]

/** Words of one direction, and the channel of the other, which is spelled much like it. */
const OPPOSITES: readonly (readonly [words: RegExp, channel: Channel])[] = [
  [/exp/, 'data-import'],
  [/imp/, 'warehouse-export']
]

/** Calls of MoEngage's that its page has no row for. */
const WITHOUT_ROW = /^(?:rcs|mms|alerts?|coupons?|oauth2?|tokens?|in-?app|on-?site)\b/

/** Several names joined into one text, as in an environment variable. */
const isSeveral = (text: string) => /[,;]/.test(text)
const SEVERAL = 'Write a list, each name a string of its own.'

/** A list in JSON, as a variable of the environment holds it. */
const isJsonList = (text: string) => /^\s*\[.*\]\s*$/s.test(text)
const JSON_LIST = 'Parse it: JSON.parse(…) returns the list. Without JSON, write each name as a string of its own.'

/** What other programs write for all there are. */
const isEvery = (text: string) => /^\s*(?:\*|any|every)\s*$/i.test(text)
const EVERY = "Write 'all' in the place of the list."

/** The value, or the problem that prevented it. */
export type Outcome<T> = { readonly ok: T } | { readonly problem: Problem }

/**
 * Reads a data center in any spelling that MoEngage or its partners use: `DC-01`, `dc1`, `DATA_CENTER_01`, a number, or
 * the host name or URL of a dashboard or API. Never by a part of the name: `1` is not `101`.
 */
export function readDataCenter(text: unknown, path = 'dataCenters'): Outcome<DataCenter> {
  const refuse = (message: string, fix: string) => ({
    problem: { code: 'MOE_ERR_DATA_CENTER', path, value: text, message, fix } as const
  })
  if (typeof text !== 'string') {
    return refuse(`A data center is a text, not ${shown(text)}.`, fixFor(text, `Write it like 'DC-01'.`))
  }
  const folded = fold(text)
  const number = (IDENTIFIER.exec(folded) ?? HOST.exec(folded))?.[1]
  const named = RUDDERSTACK.get(folded)
  if (named !== undefined) return { ok: named }
  if (number !== undefined) {
    const dataCenter = DATA_CENTERS.find((name) => Number(name.slice(3)) === Number(number))
    if (dataCenter !== undefined) return { ok: dataCenter }
    return refuse(
      `${quoted(text)} is a data center that this version of moengage-allowlist does not know: update it if MoEngage's page has it.`,
      `Use one of: ${DATA_CENTERS.join(', ')}.`
    )
  }
  if (PLACEHOLDER.test(folded)) {
    return refuse(
      `${quoted(text)} is a placeholder copied from the documentation.`,
      `Put your number in. ${WHERE_TO_LOOK}`
    )
  }
  if (/(?:^|\/\/)[a-z0-9]+\.moengage\.com/.test(folded)) {
    return refuse(`${quoted(text)} carries no data center number.`, WHERE_TO_LOOK)
  }
  const region = REGIONS.find(([names]) => names.test(folded))
  if (region !== undefined) {
    const [, dataCenters] = region
    return refuse(
      `${quoted(text)} is a region, not a data center.`,
      dataCenters.length === 1
        ? `Did you mean "${dataCenters[0]}"?`
        : `Which one: ${dataCenters.join(' or ')}? ${WHERE_TO_LOOK}`
    )
  }
  if (isJsonList(text)) return refuse(`${quoted(text)} is a list in one string.`, JSON_LIST)
  if (isSeveral(text)) return refuse(`${quoted(text)} holds several names in one string.`, SEVERAL)
  if (isEvery(text)) return refuse(`${quoted(text)} is not a data center.`, EVERY)
  return refuse(
    `${quoted(text)} is not a data center.`,
    text === '' ? `Write it like 'DC-01'.` : suggestion(text, DATA_CENTERS)
  )
}

/**
 * Reads a data center from configuration, in any spelling that MoEngage or its partners use.
 *
 * @throws DataCenterError (`MOE_ERR_DATA_CENTER`) if it is unknown, or could mean more than one
 * @example
 * parseDataCenter('dc1') // 'DC-01'
 * parseDataCenter('https://dashboard-01.moengage.com') // 'DC-01'
 */
export function parseDataCenter(text: string): DataCenter {
  const read = readDataCenter(text, '')
  if ('problem' in read) throw new DataCenterError(read.problem)
  return read.ok
}

/**
 * Reads a channel from configuration: one of our ids, or the row's name on MoEngage's page.
 *
 * @throws ChannelError (`MOE_ERR_CHANNEL`) if it is unknown
 * @example
 * parseChannel('Outbound Segment Sync') // 'segment-sync'
 */
export function parseChannel(text: string): Channel {
  const read = readChannel(text, '')
  if ('problem' in read) throw new ChannelError(read.problem)
  return read.ok
}

/** Reads a channel: one of our ids, or the row's name on MoEngage's page. */
export function readChannel(text: unknown, path = 'channels'): Outcome<Channel> {
  const refuse = (message: string, fix: string) => ({
    problem: { code: 'MOE_ERR_CHANNEL', path, value: text, message, fix } as const
  })
  if (typeof text !== 'string') {
    return refuse(`A channel is a text, not ${shown(text)}.`, fixFor(text, `Use one of: ${CHANNELS.join(', ')}.`))
  }
  const folded = fold(text)
  const channel = CHANNEL_BY_NAME.get(folded)
  if (channel !== undefined) return { ok: channel }
  if (isJsonList(text)) return refuse(`${quoted(text)} is a list in one string.`, JSON_LIST)
  if (isSeveral(text)) return refuse(`${quoted(text)} holds several names in one string.`, SEVERAL)
  if (isEvery(text)) return refuse(`${quoted(text)} is not a channel.`, EVERY)
  const meant = CALLED.find(([words]) => words.test(folded))?.[1]
  if (meant !== undefined) return refuse(`${quoted(text)} is not a channel.`, `Did you mean "${meant}"?`)
  if (WITHOUT_ROW.test(folded)) {
    return refuse(
      `MoEngage's page has no row for ${quoted(text)}, so its senders cannot be verified by address.`,
      'Leave the channel out, keep its route unguarded, and check a secret there.'
    )
  }
  const opposite = OPPOSITES.find(([words]) => words.test(folded))?.[1]
  const candidates = CHANNELS.filter((channel) => channel !== opposite)
  return refuse(`${quoted(text)} is not a channel.`, suggestion(text, candidates, CHANNELS))
}
