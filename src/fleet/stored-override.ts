import type { Override } from '../guard/status.js'
import { parseJson } from '../lib/json.js'
import { quoted } from '../lib/text.js'
import { claimedDocument } from '../signing/signed-document.js'
import { PARTS, readOverrides } from './state.js'

/** An override, as the store has it. */
export interface StoredOverride extends Partial<Pick<Override, 'allow' | 'deny' | 'until' | 'note'>> {
  readonly id: string
  readonly since: string
  readonly mode?: Override['mode']
}

/** The overrides of a text that are not over. Signatures are not verified: they are only shown, or were shown before. */
export function shownOverrides(text: string | null): readonly StoredOverride[] {
  if (text === null) return []
  return readStored(isSigned(text) ? claimedDocument(text).payload : parseJson(text), Date.now())
}

export function readStored(payload: unknown, now: number): readonly StoredOverride[] {
  const found = readOverrides(payload, { accept: new Set(PARTS) })
  const stored = found.map(({ id, since, options }): StoredOverride => ({ ...(options as StoredOverride), id, since }))
  return stored.filter(({ until }) => until === undefined || until === null || Date.parse(until) > now)
}

export function overrideOf({
  id,
  since,
  allow = [],
  deny = [],
  mode = null,
  until = null,
  note = null
}: StoredOverride): Override {
  return { id, since, allow, deny, mode, until, note, origin: 'fleet' }
}

/** Whether a part of a state is a signed document, by its first characters. */
export const isSigned = (text: string | null | undefined) => text?.startsWith('eyJ') === true

/** What an override does, in a few words. */
export function words({ allow, deny, mode, until, note }: Override): string {
  const parts = [
    ...(allow.length > 0 ? [`allow ${allow.map(written).join(', ')}`] : []),
    ...(deny.length > 0 ? [`deny ${deny.map(written).join(', ')}`] : []),
    ...(mode === null ? [] : [`mode ${mode}`])
  ]
  return `${parts.join('; ')}${until === null ? '' : ` until ${until}`}${note === null ? '' : `: ${quoted(note)}`}`
}

/** Overrides for an error, one a line. */
export const listed = (overrides: readonly StoredOverride[]) =>
  overrides.map((override) => `  - ${override.id}: ${words(overrideOf(override))}`).join('\n')

/** A prefix as it is; whatever else stands in its place, in quotes. */
const written = (text: string) => (/^[\da-f.:/]{1,50}$/i.test(text) ? text : quoted(text))
