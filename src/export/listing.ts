import type { Directory, DirectoryEntry, Selection } from '../directory/directory.js'
import { CHANNELS, type Channel, type DataCenter } from '../directory/names.js'
import type { Snapshot } from '../directory/snapshot.js'
import { ExportError } from '../errors.js'
import { comparePrefixes, type Prefix } from '../ip/prefix.js'

/** A data center, with the channels for which it uses a prefix. */
export interface Purpose {
  readonly dataCenter: DataCenter
  readonly channels: readonly Channel[]
}

/** A prefix of the listing. Each stands there once. */
export interface ListedPrefix {
  readonly prefix: Prefix
  /** In CIDR notation, always with the length. */
  readonly cidr: string
  readonly purposes: readonly Purpose[]
  /** The purposes in words: `DC-03: connector, sms`. Letters, digits, spaces and `-,:;` only. */
  readonly about: string
}

/** What a format writes down. Every text in it that came from a snapshot can stand in a comment of any format. */
export interface Listing {
  /** At least one, IPv4 first, then by number. */
  readonly prefixes: readonly ListedPrefix[]
  /** As the snapshot has it, so for formats that escape what they write. */
  readonly provenance: Snapshot['provenance']
  /** The revision in letters, digits and `_.:/-`. */
  readonly revision: string
  /** `revision f7b9336c727c, retrieved 2026-11-23`: for a field, not for a line. */
  readonly stamp: string
  /** What a reader of the file should know, a line each. */
  readonly header: readonly string[]
  /** What the thing that the format makes is called. */
  readonly name: string
  /** The TCP port that is guarded, in formats that guard one. */
  readonly port: number
}

/** Reads the listing of a selection. Throws what {@link Directory.select} throws, so it is never empty. */
export function readListing(
  directory: Directory,
  selection: Selection,
  { name, port }: Pick<Listing, 'name' | 'port'>
): Listing {
  const prefixes = listPrefixes(directory.select(selection))
  const { provenance } = directory
  const revision = asWord(directory.revision)
  const stamp = `revision ${revision}, retrieved ${provenance.retrieved}`
  const { dataCenters, channels } = directory.read(selection).cells
  const what = channels.length === CHANNELS.length ? 'all channels' : channels.join(', ')
  const header = [
    `MoEngage's addresses for ${dataCenters.join(', ')} (${what})`,
    `Revision ${revision}, retrieved ${provenance.retrieved}, from`,
    asUrl(provenance.page),
    'Written by moengage-allowlist. MoEngage changes its addresses without notice: export again when its page changes.'
  ]
  return { prefixes, provenance, revision, stamp, header, name, port }
}

/** A line break in a revision would end a comment, and what follows it would be obeyed. */
const asWord = (text: string) => text.replaceAll(/[^\w.:/-]/g, '_')

/** Caddy replaces `{$NAME}` and `{name}` in comments too. */
const asUrl = (text: string) => text.replaceAll(/[^\w.:/?&=%#~+@-]/g, '_')

function listPrefixes(entries: readonly DirectoryEntry[]): ListedPrefix[] {
  const found = new Map<string, { prefix: Prefix; channels: Map<DataCenter, Channel[]> }>()
  for (const { prefix, grant } of entries) {
    const cidr = prefix.toString()
    const one = found.get(cidr) ?? { prefix, channels: new Map() }
    found.set(cidr, one)
    const channels = one.channels.get(grant.dataCenter) ?? []
    one.channels.set(grant.dataCenter, channels)
    // A cell may repeat an address.
    if (!channels.includes(grant.channel)) channels.push(grant.channel)
  }
  return [...found]
    .map(([cidr, { prefix, channels }]) => {
      const purposes = [...channels].map(([dataCenter, names]) => ({ dataCenter, channels: names }))
      const about = purposes.map((purpose) => `${purpose.dataCenter}: ${purpose.channels.join(', ')}`).join('; ')
      return { prefix, cidr, purposes, about }
    })
    .sort((a, b) => comparePrefixes(a.prefix, b.prefix))
}

/** The prefixes of one family. */
export function ofFamily({ prefixes }: Listing, family: 4 | 6): readonly ListedPrefix[] {
  return prefixes.filter(({ prefix }) => prefix.address.family === family)
}

/** The header as comment lines. */
export function comment({ header }: Listing, sign = '#'): string[] {
  return header.map((line) => `${sign} ${line}`)
}

/** A text in the bounds of a description field. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 3)}...`
}

/** What a prefix is for, and the stamp, in the bounds of a description field. */
export function described({ about }: ListedPrefix, { stamp }: Listing, most: number): string {
  const end = ` (${stamp})`
  return `${cut(about, most - end.length)}${end}`
}

/** A list that has no room in one place is refused: a deployment that fails half-way would leave half of it. */
export function checkRoom(count: number, what: string, where: string, most: number): void {
  if (count <= most) return
  throw new ExportError({
    path: 'dataCenters',
    value: count,
    message: `These are ${count} ${what}, and ${where} has room for ${most}.`,
    fix: 'Select fewer data centers or channels.'
  })
}

/** Lines as a file. */
export function lines(...parts: readonly (string | readonly string[])[]): string {
  return `${parts.flat().join('\n')}\n`
}

/** A value as a file of JSON. */
export function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
