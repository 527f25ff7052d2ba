import type { Directory, DirectoryEntry, Selection } from '../directory/directory.js'
import { CHANNELS, type Channel, type DataCenter } from '../directory/names.js'
import type { Snapshot } from '../directory/snapshot.js'
import { ExportError } from '../errors.js'
import { comparePrefixes, type Prefix } from '../ip/prefix.js'
import { formatJson } from '../lib/json.js'

/** One way to write addresses down. */
export interface Format {
  /** What it is, in one line. */
  readonly about: string
  /** The names that it accepts; left out if it names nothing. */
  readonly name?: NameRule
  /** Whether it guards one TCP port. */
  readonly port?: true
  /** Who is shut out where the file is used, in a sentence; left out if a file alone shuts out nobody. */
  readonly shutsOut?: (target: Target) => string
  /** @throws ExportError if the format cannot express the listing */
  readonly write: (listing: Listing) => string
}

/** Names are written with or without quotes, so they consist of characters that need no escape in either. */
export interface NameRule {
  readonly pattern: RegExp
  /** What the name consists of, as part of a sentence. */
  readonly rule: string
  /** Words that the language of the format keeps for itself. */
  readonly reserved?: RegExp
}

/** What a file makes and guards. */
export interface Target {
  /** The name of the table, group, policy and the like that the format makes. */
  readonly name: string
  /** The TCP port that is guarded, in formats that guard one. */
  readonly port: number
}

/** A data center, with the channels for which it uses a prefix. */
export interface Purpose {
  readonly dataCenter: DataCenter
  readonly channels: readonly Channel[]
}

/** A prefix of the listing. Each is listed once. */
export interface ListedPrefix {
  readonly prefix: Prefix
  /** In CIDR notation, always with the length. */
  readonly cidr: string
  /** Empty for a prefix that is only the user's own. */
  readonly purposes: readonly Purpose[]
  /** Whether it is one of the user's own. */
  readonly isOwn: boolean
  /** The purposes in words: `DC-03: connector, sms`. Letters, digits, spaces and `-,:;` only. */
  readonly about: string
}

/** The content of a file. Every text that comes from a snapshot is safe in a comment of any format. */
export interface Listing extends Target {
  /** At least one, IPv4 first, then by address. */
  readonly prefixes: readonly ListedPrefix[]
  /** As the snapshot has it, for formats that escape what they write. */
  readonly provenance: Snapshot['provenance']
  /** The revision in letters, digits and `_.:/-`. */
  readonly revision: string
  /** `revision f7b9336c727c, retrieved 2026-11-23`: for a field, not for a line. */
  readonly stamp: string
  /** `MoEngage's addresses for DC-03 (all channels)`. */
  readonly title: string
  /** Who is shut out where the file is used; undefined if nobody is. */
  readonly warning: string | undefined
  /** The comment at the start of the file, line by line. */
  readonly header: readonly string[]
}

/** What a listing is made of, beside the directory. */
export interface ListingRequest {
  readonly selection: Selection
  /** The user's own prefixes, which are let in as well. */
  readonly own: readonly Prefix[]
  readonly target: Target
  readonly shutsOut: Format['shutsOut']
}

/** Lists a selection. Throws the errors of {@link Directory.select}, so the listing is never empty. */
export function listingOf(directory: Directory, { selection, own, target, shutsOut }: ListingRequest): Listing {
  const prefixes = listPrefixes(directory.select(selection), own)
  const { provenance } = directory
  const revision = asWord(directory.revision)
  const day = `retrieved ${provenance.retrieved}${provenance.checked === undefined ? '' : `, checked ${provenance.checked}`}`
  const { dataCenters, channels } = directory.read(selection).cells
  const what = channels.length === CHANNELS.length ? 'all channels' : channels.join(', ')
  const title = `MoEngage's addresses for ${dataCenters.join(', ')} (${what})`
  const warning = shutsOut?.(target)
  const header = [
    ...(warning === undefined ? [] : [warning]),
    title,
    `Revision ${revision}, ${day}, from`,
    asUrl(provenance.page),
    'Written by moengage-allowlist. MoEngage changes its addresses without notice: export again when its page changes.'
  ]
  return { ...target, prefixes, provenance, revision, stamp: `revision ${revision}, ${day}`, title, warning, header }
}

/** A line break in a revision would end a comment, and the text behind it would be a rule. */
const asWord = (text: string) => text.replaceAll(/[^\w.:/-]/g, '_')

/** Caddy replaces `{$NAME}` and `{name}` in comments too. */
const asUrl = (text: string) => text.replaceAll(/[^\w.:/?&=%#~+@-]/g, '_')

function listPrefixes(entries: readonly DirectoryEntry[], own: readonly Prefix[]): ListedPrefix[] {
  const found = new Map<string, { prefix: Prefix; channels: Map<DataCenter, Channel[]>; isOwn: boolean }>()
  const at = (prefix: Prefix) => {
    const cidr = prefix.toString()
    const one = found.get(cidr) ?? { prefix, channels: new Map(), isOwn: false }
    found.set(cidr, one)
    return one
  }
  for (const { prefix, grant } of entries) {
    const one = at(prefix)
    const channels = one.channels.get(grant.dataCenter) ?? []
    one.channels.set(grant.dataCenter, channels)
    // A cell may repeat an address.
    if (!channels.includes(grant.channel)) channels.push(grant.channel)
  }
  for (const prefix of own) at(prefix).isOwn = true
  return [...found]
    .map(([cidr, { prefix, channels, isOwn }]) => {
      const purposes = [...channels].map(([dataCenter, names]) => ({ dataCenter, channels: names }))
      const words = purposes.map((purpose) => `${purpose.dataCenter}: ${purpose.channels.join(', ')}`)
      return { prefix, cidr, purposes, isOwn, about: [...words, ...(isOwn ? ['your own'] : [])].join('; ') }
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

/** A text within the length of a description field. */
export function cut(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength - 3)}...`
}

/** The purposes of a prefix and the stamp, within the length of a description field. */
export function described({ about }: ListedPrefix, { stamp }: Listing, maxLength: number): string {
  const end = ` (${stamp})`
  return `${cut(about, maxLength - end.length)}${end}`
}

/** Refuses a list that does not fit: a deployment that fails half-way would leave half of it. */
export function checkRoom(prefixes: readonly ListedPrefix[], what: string, where: string, max: number): void {
  const count = prefixes.length
  if (count <= max) return
  const own = prefixes.filter(({ purposes }) => purposes.length === 0).length
  const select = 'Select fewer data centers or channels.'
  const allow = `Name fewer or wider prefixes in "allow" (--allow): ${own} of these are your own.`
  throw new ExportError({
    path: own >= max ? 'allow' : 'dataCenters',
    value: count,
    message: `These are ${count} ${what}, and ${where} has room for ${max}.`,
    fix: own === 0 ? select : own >= max ? allow : `${select} Or: ${allow}`
  })
}

/** Lines as a file. */
export function lines(...parts: readonly (string | readonly string[])[]): string {
  return `${parts.flat().join('\n')}\n`
}

/** A value as a JSON file. */
export function json(value: unknown): string {
  return `${formatJson(value, 2)}\n`
}
