import type { Directory, Selection } from '../directory/directory.js'
import { refuseNoDirectory } from '../directory/given-directory.js'
import { Prefix, readPrefix } from '../ip/prefix.js'
import { coverHalf } from '../ip/special.js'
import type { Option, OptionTable } from '../lib/option.js'
import { OptionReader } from '../lib/option-reader.js'
import { numberOr, refuseNoList } from '../lib/option-rules.js'
import { shown, suggestion } from '../lib/text.js'
import { awsFormats } from './aws.js'
import { cloudFormats } from './clouds.js'
import { hostFormats } from './hosts.js'
import { comment, type Format, json, lines, listingOf } from './listing.js'
import { proxyFormats } from './proxies.js'

const plainFormats = {
  json: {
    about: 'JSON: the provenance, and each prefix with its data centers and channels',
    write: ({ provenance, prefixes }) =>
      json({
        provenance,
        prefixes: prefixes.map(({ cidr, prefix, purposes, isOwn }) => ({
          prefix: cidr,
          family: prefix.address.family,
          purposes,
          ...(isOwn && { isOwn })
        }))
      })
  },
  csv: {
    about: 'CSV with a header line; one row for each prefix',
    write: ({ provenance, prefixes, revision }) =>
      lines(
        'prefix,family,purposes,revision,retrieved',
        prefixes.map(({ cidr, prefix, about }) =>
          [cidr, prefix.address.family, `"${about}"`, revision, provenance.retrieved].join(',')
        )
      )
  },
  text: {
    about: 'one prefix on each line, below a comment',
    write: (listing) =>
      lines(
        comment(listing),
        listing.prefixes.map(({ cidr }) => cidr)
      )
  }
} as const satisfies Record<string, Format>

const all = { ...proxyFormats, ...hostFormats, ...awsFormats, ...cloudFormats, ...plainFormats } as const

/** The name of a format that the directory can be exported in. */
export type ExportFormat = keyof typeof all

/** Every format by its name. */
export const FORMATS: Readonly<Record<ExportFormat, Format>> = all

/** The names of all formats: for web servers, hosts, clouds and services, and plain files. */
export const EXPORT_FORMATS: readonly ExportFormat[] = Object.freeze(Object.keys(all) as ExportFormat[])

/** Options of an export. */
export interface ExportOptions extends Selection {
  /** One of `EXPORT_FORMATS`. */
  readonly format: ExportFormat
  /**
   * The name of what the format makes (`'moengage'`): a security group, a table, a matcher; for `sshd-match-address` the name of
   * the user. Each format accepts only names that need no escape in it; some formats name nothing and accept none.
   */
  readonly name?: string | undefined
  /** The TCP port that is guarded (`443`), for formats that guard one. */
  readonly port?: number | undefined
  /** Your own addresses and prefixes, which are let in as well (`[]`). */
  readonly allow?: readonly string[] | undefined
}

/**
 * Writes a part of the directory as firewall rules, or as a plain list.
 *
 * Every prefix is written once, IPv4 first, in numeric order, with its data centers and channels if the format has comments or
 * descriptions, and with the revision and the day of the list. If a file can shut somebody out, its first comment says so.
 *
 * @returns the text of a file
 * @throws OptionsError (`MOE_ERR_OPTIONS`) for a wrong format, name, port or `allow`, and for what is not a directory;
 * DataCenterError, ChannelError, NoAddressesError as {@link Directory.select} does, so that no list is ever empty;
 * ExportError (`MOE_ERR_EXPORT`) if the format cannot express the selection
 * @example
 * exportDirectory(directory, { format: 'nginx', dataCenters: 'DC-03', channels: 'streams', allow: ['10.0.0.0/8'] })
 * // allow 3.6.251.95/32; # DC-03: streams
 * // allow 10.0.0.0/8; # your own
 * // deny all;
 */
export function exportDirectory(directory: Directory, options: ExportOptions): string {
  refuseNoDirectory(directory, 'directory')
  const reader = OptionReader.open(EXPORT_OPTIONS, options, `Write { format: 'nginx', dataCenters: 'DC-01' }.`)
  reader.checkNames()
  const { format, name, port, allow: own } = reader.readAll()
  if (format !== undefined) {
    if (name !== undefined) checkName(format, name)
    if (port !== undefined) checkPort(format, port)
  }
  reader.throwMistakes()
  const { write, shutsOut }: Format = FORMATS[format!]
  const target = { name: options.name ?? 'moengage', port: options.port ?? 443 }
  return write(listingOf(directory, { selection: options, own, target, shutsOut }))
}

/** A placeholder: a network that exists would be let in where the advice is pasted. */
const ALLOW_EXAMPLE = `['192.0.2.0/24']`

/** Checked where the format or the directory is known. */
const readLater = (option: Option) => option

/** The options of an export, by name; names of data centers and channels are checked with the directory. */
const EXPORT_OPTIONS = {
  format: {
    fallback: undefined,
    example: `'nginx'`,
    required: `Use one of: ${EXPORT_FORMATS.join(', ')}.`,
    read: readFormat
  },
  dataCenters: { fallback: undefined, example: `'DC-01'`, read: readLater },
  channels: { fallback: undefined, example: `'all'`, read: readLater },
  name: { fallback: undefined, example: `'moengage'`, read: readLater },
  port: { fallback: undefined, example: '443', read: readLater },
  allow: { fallback: [], example: ALLOW_EXAMPLE, read: readAllow }
} satisfies OptionTable

const ALLOW_SEVERAL = 'Write each as an element of the array, or with an --allow of its own.'

function readAllow(option: Option): readonly Prefix[] | undefined {
  const { value } = option
  if (!Array.isArray(value)) return refuseNoList(option, readAllow, 'addresses and prefixes', ALLOW_EXAMPLE)
  const prefixes = option.items(value).flatMap((item) => {
    const prefix = readPrefix(item.value, ALLOW_SEVERAL)
    if (prefix instanceof Prefix) return [prefix]
    item.refuse(prefix.message, prefix.fix, 'MOE_ERR_PREFIX')
    return []
  })
  if (!coverHalf(prefixes)) return prefixes
  const message = 'It covers half of the internet or more, so it would let strangers in.'
  return option.refuse(message, 'List the addresses that you mean.', 'MOE_ERR_TRUSTS_EVERYONE')
}

function readFormat(option: Option): ExportFormat | undefined {
  const { value } = option
  if (EXPORT_FORMATS.includes(value as ExportFormat)) return value as ExportFormat
  return option.refuse(`There is no format ${shown(value)}.`, suggestFormat(value))
}

/** What people call the formats. */
const CALLED: readonly (readonly [words: RegExp, format: ExportFormat])[] = [
  [/^ip6?tables(?:-restore)?$/, 'ipset'],
  [/^nft$/, 'nftables'],
  [/^(?:open)?ssh$|^sshd(?:_config)?$|^sftp$/, 'sshd-match-address'],
  [/^httpd$|^apache-?2(?:\.4)?$|^htaccess$/, 'apache'],
  [/^caddyfile$/, 'caddy'],
  [/^(?:k8s|kubectl|eks|gke|aks|networkpolicy)$/, 'kubernetes-network-policy'],
  [/^(?:google(?:-cloud)?|cloudarmor)$/, 'gcp-cloud-armor'],
  [/^(?:txt|plain|list)$/, 'text']
]

function suggestFormat(value: unknown): string {
  if (typeof value !== 'string') return suggestion(value, EXPORT_FORMATS)
  const name = value.toLowerCase()
  const called = CALLED.find(([words]) => words.test(name))?.[1]
  const near = called ?? EXPORT_FORMATS.find((format) => format === name)
  if (near !== undefined) return `Did you mean "${near}"?`
  // Whole words: "aws", "terraform", "aws-waf-ipset".
  const variants = EXPORT_FORMATS.filter((format) => `-${format}-`.includes(`-${name}-`))
  return variants.length > 0 ? `Use one of: ${variants.join(', ')}.` : suggestion(name, EXPORT_FORMATS)
}

function checkName(formatName: ExportFormat, option: Option): void {
  const { name: rule }: Format = FORMATS[formatName]
  const { value } = option
  if (rule === undefined) option.refuse(`The format ${formatName} names nothing.`, 'Leave the name out.')
  else if (typeof value !== 'string' || !rule.pattern.test(value)) {
    option.refuse(`${shown(value)} is not a name for ${formatName}.`, `Use ${rule.rule}.`)
  } else if (rule.reserved?.test(value)) {
    option.refuse(`${shown(value)} has a meaning of its own in ${formatName}.`, 'Write moengage, or another name.')
  }
}

const isPort = (port: number) => Number.isInteger(port) && port >= 1 && port <= 65_535

function checkPort(formatName: ExportFormat, option: Option): void {
  const { value } = option
  if (FORMATS[formatName].port === undefined) {
    option.refuse(`The format ${formatName} guards no port.`, 'Leave the port out.')
  } else if (typeof value !== 'number' || !isPort(value)) {
    const fix = `Write ${numberOr(443, value, isPort)}, or another number from 1 to 65535.`
    option.refuse(`${shown(value)} is not a port.`, fix)
  }
}
