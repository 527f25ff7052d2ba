import { checkRoom, comment, cut, type Format, type ListedPrefix, type Listing, lines, ofFamily } from './listing.js'

/** The most elements of a set of ipset, unless it is made for more. */
const MAX_IN_SET = 65_536
/** The longest comment of an element. */
const MAX_COMMENT = 255

/** Connections of the machine itself, and those that are there already, are not cut. */
const PORT = ({ port }: { readonly port: number }) =>
  `Every other host is shut out of TCP port ${port}: your own applications on other hosts too, unless --allow names them.`

export const hostFormats = {
  nftables: {
    about: 'nftables: a table that lets only MoEngage reach a port of this host',
    name: {
      // The table of this name is deleted, and a keyword of nft cannot be a name.
      pattern: /^moengage[A-Za-z0-9_]{0,23}$/,
      rule: '"moengage" and what you append to it: up to 31 letters, digits and underscores'
    },
    port: true,
    shutsOut: PORT,
    // Declaring the table first lets it be deleted the first time too. nft applies a file as a whole or not at all.
    write: (listing) =>
      lines(
        comment(listing),
        `table inet ${listing.name}`,
        `delete table inet ${listing.name}`,
        `table inet ${listing.name} {`,
        nftSet('ipv4', ofFamily(listing, 4)),
        nftSet('ipv6', ofFamily(listing, 6)),
        '\tchain input {',
        '\t\ttype filter hook input priority filter; policy accept;',
        '\t\tiifname "lo" accept',
        '\t\tct state established,related accept',
        `\t\ttcp dport ${listing.port} ip saddr @ipv4 accept`,
        `\t\ttcp dport ${listing.port} ip6 saddr @ipv6 accept`,
        `\t\ttcp dport ${listing.port} counter reject with tcp reset`,
        '\t}',
        '}'
      )
  },
  ipset: {
    about: 'iptables: two sets for ipset restore (the rules that use them are in its comment)',
    name: {
      // `_ipv4_new` is appended, and a set has a name of 31 characters at most.
      pattern: /^moengage[A-Za-z0-9_]{0,14}$/,
      rule: '"moengage" and what you append to it: up to 22 letters, digits and underscores'
    },
    port: true,
    shutsOut: PORT,
    write: (listing) =>
      lines(
        comment(listing),
        '# Load it, and later versions of it, with: ipset -exist restore < FILE',
        '# The rules, for iptables-restore --noflush; for ip6tables-restore write ipv6 in place of ipv4:',
        iptablesRules(listing).map((line) => `#   ${line}`),
        `# And once: iptables -I INPUT -p tcp --dport ${listing.port} -j ${listing.name}`,
        ipset(listing, 4, 'inet'),
        ipset(listing, 6, 'inet6')
      )
  },
  'sshd-match-address': {
    about: 'OpenSSH server: shuts a user out who comes from anywhere else (for SFTP)',
    name: {
      pattern: /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/,
      rule: 'the name of a user: up to 32 letters, digits, dots, underscores and hyphens, with a letter or underscore first'
    },
    shutsOut: ({ name }) => `The user ${name} is shut out from every other address, unless --allow names it.`,
    // A negated pattern that matches decides at once, so the block is for everyone but the listed.
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

/** `auto-merge`: without it nft refuses prefixes inside of others. */
function nftSet(name: 'ipv4' | 'ipv6', prefixes: readonly ListedPrefix[]): string[] {
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

/** A new set takes the place of the old one in one step, so no packet sees half of it. */
function ipset(listing: Listing, family: 4 | 6, inet: string): string[] {
  const prefixes = ofFamily(listing, family)
  checkRoom(prefixes, `IPv${family} prefixes`, 'a set of ipset', MAX_IN_SET)
  const name = `${listing.name}_ipv${family}`
  return [
    `create ${name} hash:net family ${inet} comment`,
    `create ${name}_new hash:net family ${inet} comment`,
    `flush ${name}_new`,
    ...prefixes.map(({ cidr, about }) => `add ${name}_new ${cidr} comment "${cut(about, MAX_COMMENT)}"`),
    `swap ${name}_new ${name}`,
    `destroy ${name}_new`
  ]
}

/** With `--noflush`, declaring a chain empties that chain only. */
function iptablesRules({ name }: Listing): string[] {
  return [
    '*filter',
    `:${name} - [0:0]`,
    `-A ${name} -i lo -j RETURN`,
    `-A ${name} -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN`,
    `-A ${name} -m set --match-set ${name}_ipv4 src -j RETURN`,
    `-A ${name} -p tcp -j REJECT --reject-with tcp-reset`,
    'COMMIT'
  ]
}
