import type { Directory, Selection } from '../directory/directory.js'
import { OptionsError } from '../errors.js'
import { checkNames, mistake, type Report, shown } from '../lib/option-reader.js'
import { suggestion } from '../lib/suggest.js'
import type { Problem } from '../problem.js'
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
  const mistakes: Problem[] = []
  const report: Report = (problem) => void mistakes.push(problem)
  checkNames(options, ['format', 'dataCenters', 'channels', 'name', 'port'], '', report)
  const { format: formatName, name, port } = options
  if (EXPORT_FORMATS.includes(formatName)) {
    checkName(formatName, name, report)
    checkPort(formatName, port, report)
  } else {
    report(mistake('format', formatName, `There is no format ${shown(formatName)}.`, suggestFormat(formatName)))
  }
  if (mistakes.length > 0) throw new OptionsError(mistakes, options)
  const listing = readListing(directory, options, { name: name ?? 'moengage', port: port ?? 443 })
  return FORMATS[formatName].write(listing)
}

function suggestFormat(name: unknown): string {
  const variants = EXPORT_FORMATS.filter((format) => format.startsWith(`${name}-`))
  return variants.length > 0 ? `Use one of: ${variants.join(', ')}.` : suggestion(String(name), EXPORT_FORMATS)
}

function checkName(formatName: ExportFormat, name: unknown, report: Report): void {
  const { name: rule }: Format = FORMATS[formatName]
  if (name === undefined) return
  if (rule === undefined) {
    report(mistake('name', name, `The format ${formatName} names nothing.`, 'Leave the name out.'))
  } else if (typeof name !== 'string' || !rule.pattern.test(name)) {
    report(mistake('name', name, `${shown(name)} is no name for ${formatName}.`, `Use ${rule.rule}.`))
  }
}

function checkPort(formatName: ExportFormat, port: unknown, report: Report): void {
  if (port === undefined) return
  if (FORMATS[formatName].port === undefined) {
    report(mistake('port', port, `The format ${formatName} guards no port.`, 'Leave the port out.'))
  } else if (!Number.isInteger(port) || (port as number) < 1 || (port as number) > 65_535) {
    report(mistake('port', port, `${shown(port)} is not a port.`, 'Write a number from 1 to 65535.'))
  }
}
