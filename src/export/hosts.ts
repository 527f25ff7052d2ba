import type { Format } from './format.js'
import { comment, type ListedPrefix, lines, ofFamily } from './listing.js'

export const hostFormats = {
  nftables: {
    about: 'nftables: a table that lets only MoEngage reach a port of this host',
    name: {
      // The table of this name is deleted, and a keyword of nft is no name.
      pattern: /^moengage[A-Za-z0-9_]{0,23}$/,
      rule: '"moengage" and what you append to it: up to 31 letters, digits and underscores'
    },
    port: true,
    // Declaring the table first lets it be deleted the first time too; nft applies a file as a whole or not at all.
    write: (listing) =>
      lines(
        comment(listing),
        `table inet ${listing.name}`,
        `delete table inet ${listing.name}`,
        `table inet ${listing.name} {`,
        set('ipv4', ofFamily(listing, 4)),
        set('ipv6', ofFamily(listing, 6)),
        '\tchain input {',
        '\t\ttype filter hook input priority filter; policy accept;',
        `\t\ttcp dport ${listing.port} ip saddr @ipv4 accept`,
        `\t\ttcp dport ${listing.port} ip6 saddr @ipv6 accept`,
        `\t\ttcp dport ${listing.port} counter reject with tcp reset`,
        '\t}',
        '}'
      )
  },
  'sshd-match-address': {
    about: 'OpenSSH server: shuts a user out who comes from anywhere else (for SFTP)',
    name: {
      pattern: /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/,
      rule: 'the name of a user: up to 32 letters, digits, dots, underscores and hyphens, with a letter or underscore first'
    },
    // A negated pattern that matches decides at once, so the block is for everybody but the listed.
    write: (listing) =>
      lines(
        comment(listing),
        listing.prefixes.map(({ cidr, about }) => `# ${cidr} ${about}`),
        `Match User ${listing.name} Address *,${listing.prefixes.map(({ cidr }) => `!${cidr}`).join(',')}`,
        `\tDenyUsers ${listing.name}`,
        'Match all'
      )
  }
} as const satisfies Record<string, Format>

/** `auto-merge`: nft refuses prefixes inside of others without it. */
function set(name: 'ipv4' | 'ipv6', prefixes: readonly ListedPrefix[]): string[] {
  const elements = prefixes.map(({ cidr, about }) => `\t\t\t${cidr}, # ${about}`)
  return [
    `\tset ${name} {`,
    `\t\ttype ${name}_addr`,
    '\t\tflags interval',
    '\t\tauto-merge',
    ...(elements.length === 0 ? [] : ['\t\telements = {', ...elements, '\t\t}']),
    '\t}'
  ]
}
