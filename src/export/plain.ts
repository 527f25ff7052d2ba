import type { Format } from './format.js'
import { comment, json, lines } from './listing.js'

export const plainFormats = {
  json: {
    about: 'JSON: where the list comes from, and each prefix with its data centers and channels',
    write: ({ provenance, prefixes }) =>
      json({
        provenance,
        prefixes: prefixes.map(({ cidr, prefix, purposes }) => ({
          prefix: cidr,
          family: prefix.address.family,
          purposes
        }))
      })
  },
  csv: {
    about: 'CSV with a header line; one row a prefix',
    write: ({ provenance, prefixes, revision }) =>
      lines(
        'prefix,family,purposes,revision,retrieved',
        prefixes.map(({ cidr, prefix, about }) =>
          [cidr, prefix.address.family, `"${about}"`, revision, provenance.retrieved].join(',')
        )
      )
  },
  text: {
    about: 'one prefix a line, under a comment',
    write: (listing) =>
      lines(
        comment(listing),
        listing.prefixes.map(({ cidr }) => cidr)
      )
  }
} as const satisfies Record<string, Format>
