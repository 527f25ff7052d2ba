import { readFileSync } from 'node:fs'

/** An attack, or genuine traffic, with what it must come to. */
export interface Scenario {
  id: string
  peer: string
  headers: [string, string][]
  config: { header: string; trusted: string[]; allow: string[]; deny?: string[]; requireHeader?: boolean }
  client: string | null
  must_be: 'accepted' | 'rejected'
}

export const SCENARIOS: Scenario[] = JSON.parse(readFileSync('test/fixtures/spoof-scenarios.json', 'utf8'))
