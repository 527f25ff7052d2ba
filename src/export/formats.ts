import { awsFormats } from './aws.js'
import { cloudFormats } from './clouds.js'
import { hostFormats } from './hosts.js'
import { comment, type Format, json, lines } from './listing.js'
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
