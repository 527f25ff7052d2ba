import { readdirSync, readFileSync } from 'node:fs'
import type { Channel } from '../../src/core.js'

const FOLDER = new URL('../fixtures/', import.meta.url)

/** The text of a fixture. */
export const fixtureText = (name: string): string => readFileSync(new URL(name, FOLDER), 'utf8')

/** A fixture in JSON. The caller names its type. */
export const fixture = (name: string) => JSON.parse(fixtureText(name))

/** A request as MoEngage documents it. */
export interface Sample {
  method: string
  path: string
  headers: Record<string, string>
  body: unknown
  _meta: { allowlistRow: string }
}

/** Every documented request to a row of the page, with the name of its file. */
export const SAMPLES: readonly { file: string; sample: Sample }[] = readdirSync(new URL('requests/', FOLDER))
  // The first holds what customers send to MoEngage; the token endpoint has no row to guard it by.
  .filter((file) => !['reverse-direction.json', 'oauth-token.json'].includes(file))
  .map((file) => ({ file, sample: fixture(`requests/${file}`) }))

/** The channel of each row of the page, in its order. It repeats what `src` knows, so that a mix-up there is found. */
export const CHANNEL_OF: Readonly<Record<string, Channel>> = {
  'Connector Campaigns': 'connector',
  'SMS Campaigns': 'sms',
  'WhatsApp Campaigns': 'whatsapp',
  'Email Campaigns': 'email',
  'Push Campaigns': 'push',
  'Content API or Fetch PII Token': 'content-api',
  'Data Imports': 'data-import',
  'Data Warehouse Exports': 'warehouse-export',
  Streams: 'streams',
  'Outbound Segment Sync': 'segment-sync',
  'File Segment API': 'file-segment',
  'Catalog and Feeds': 'catalog'
}

/** An attack, or genuine traffic, with what it must come to. */
export interface Scenario {
  id: string
  peer: string
  headers: [string, string][]
  config: { header: string; trusted: string[]; allow: string[]; deny?: string[]; requireHeader?: boolean }
  client: string | null
  must_be: 'accepted' | 'rejected'
}

export const SCENARIOS: readonly Scenario[] = fixture('spoof-scenarios.json')
