import type { Directory, Selection } from '../directory/directory.js'
import type { Option, OptionTable } from '../lib/option.js'
import { OptionReader } from '../lib/option-reader.js'
import { suggestion } from '../lib/suggest.js'
import { shown } from '../lib/text.js'
import type { Format } from './format.js'
import { EXPORT_FORMATS, type ExportFormat, FORMATS } from './formats.js'
import { readListing } from './listing.js'

/** What to export, and how. */
export interface ExportOptions extends Selection {
  /** One of `EXPORT_FORMATS`. */
  readonly format: ExportFormat
  /**
   * What the thing is called that the format makes (`'moengage'`): a security group, a table, a matcher; for
   * `sshd-match-address` the user. Each format takes the names that need no escape in it; some name nothing and take none.
   */
  readonly name?: string | undefined
  /** The TCP port that is guarded (443), for formats that guard one. */
  readonly port?: number | undefined
}

/**
 * Writes a part of the directory as firewall rules, or as a plain list.
 *
 * Every prefix stands there once, IPv4 first, in numeric order, with the data centers and channels it serves where the
 * format has comments or descriptions. The revision and the day of the list are in it too.
 *
 * @returns the text of a file
 * @throws OptionsError (`MOE_ERR_OPTIONS`) for a format, name or port that cannot be;
 * DataCenterError, ChannelError, NoAddressesError as {@link Directory.select} does, so that no list is ever empty;
 * ExportError (`MOE_ERR_EXPORT`) where the format cannot express what is selected
 * @example
 * exportDirectory(directory, { format: 'nginx', dataCenters: 'DC-03', channels: 'streams' })
 * // allow 3.6.251.95/32; # DC-03: streams
 * // deny all;
 */
export function exportDirectory(directory: Directory, options: ExportOptions): string {
  const reader = OptionReader.open(EXPORT_OPTIONS, options, `Write { format: 'nginx', dataCenters: 'DC-01' }.`)
  reader.checkNames()
  const format = reader.read('format')
  if (format !== undefined) {
    checkName(format, reader.optionAt('name', options.name))
    checkPort(format, reader.optionAt('port', options.port))
  }
  reader.throwMistakes()
  const listing = readListing(directory, options, { name: options.name ?? 'moengage', port: options.port ?? 443 })
  return FORMATS[format!].write(listing)
}

const anything = ({ value }: Option) => value

/** The options of an export, by name; names of data centers and channels are checked with the directory. */
const EXPORT_OPTIONS = {
  format: {
    fallback: undefined,
    example: `'nginx'`,
    required: `Use one of: ${EXPORT_FORMATS.join(', ')}.`,
    read: readFormat
  },
  dataCenters: { fallback: undefined, example: `'DC-01'`, read: anything },
  channels: { fallback: undefined, example: `'all'`, read: anything },
  name: { fallback: undefined, example: `'moengage'`, read: anything },
  port: { fallback: undefined, example: '443', read: anything }
} satisfies OptionTable

function readFormat(option: Option): ExportFormat | undefined {
  const { value } = option
  if (EXPORT_FORMATS.includes(value as ExportFormat)) return value as ExportFormat
  return option.refuse(`There is no format ${shown(value)}.`, suggestFormat(value))
}

function suggestFormat(name: unknown): string {
  const variants = EXPORT_FORMATS.filter((format) => format.startsWith(`${name}-`))
  return variants.length > 0 ? `Use one of: ${variants.join(', ')}.` : suggestion(String(name), EXPORT_FORMATS)
}

function checkName(formatName: ExportFormat, option: Option): void {
  const { name: rule }: Format = FORMATS[formatName]
  const { value } = option
  if (value === undefined) return
  if (rule === undefined) option.refuse(`The format ${formatName} names nothing.`, 'Leave the name out.')
  else if (typeof value !== 'string' || !rule.pattern.test(value)) {
    option.refuse(`${shown(value)} is no name for ${formatName}.`, `Use ${rule.rule}.`)
  }
}

function checkPort(formatName: ExportFormat, option: Option): void {
  const { value } = option
  if (value === undefined) return
  if (FORMATS[formatName].port === undefined) {
    option.refuse(`The format ${formatName} guards no port.`, 'Leave the port out.')
  } else if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 65_535) {
    option.refuse(`${shown(value)} is not a port.`, 'Write 443, or another number from 1 to 65535.')
  }
}
