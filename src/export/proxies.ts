import { comment, type Format, lines, type NameRule } from './listing.js'

const MATCHER: NameRule = {
  pattern: /^[A-Za-z_][A-Za-z0-9_]{0,63}$/,
  rule: 'up to 64 letters, digits and underscores, with no digit first'
}

/** `or` stands between conditions. An acl with the name of a predefined one would take its place in other lines. */
const HAPROXY_WORDS =
  /^(?:[oO][rR]|TRUE|FALSE|LOCALHOST|HTTP|HTTP_(?:1_0|1_1|2_0|CONTENT|URL_ABS|URL_SLASH|URL_STAR)|METH_[A-Z]+|RDP_COOKIE|REQ_CONTENT|WAIT_END)$/

const EVERYONE = () =>
  'Where this file is included, everyone else gets 403: your own clients too, unless --allow names them.'

export const proxyFormats = {
  nginx: {
    about: 'nginx: allow and deny, to include in http, server or location',
    shutsOut: EVERYONE,
    write: (listing) =>
      lines(
        comment(listing),
        listing.prefixes.map(({ cidr, about }) => `allow ${cidr}; # ${about}`),
        'deny all;'
      )
  },
  apache: {
    about: 'Apache httpd 2.4: Require ip, to include in a Location or Directory section',
    shutsOut: EVERYONE,
    write: (listing) =>
      lines(
        comment(listing),
        '<RequireAny>',
        listing.prefixes.flatMap(({ cidr, about }) => [`  # ${about}`, `  Require ip ${cidr}`]),
        '</RequireAny>'
      )
  },
  caddy: {
    about: 'Caddy: a matcher and a 403 for everyone else, to import in a site or handle block',
    name: MATCHER,
    shutsOut: EVERYONE,
    write: (listing) =>
      lines(
        comment(listing),
        '# Caddy runs handle, handle_path, route and redir before respond: import this file inside of each, not beside them.',
        `@not_${listing.name} not {`,
        listing.prefixes.flatMap(({ cidr, about }) => [`\t# ${about}`, `\tremote_ip ${cidr}`]),
        '}',
        `respond @not_${listing.name} 403`
      )
  },
  haproxy: {
    about: 'HAProxy: a file for an acl (the lines that use it are in its comment)',
    name: { ...MATCHER, reserved: HAPROXY_WORDS },
    shutsOut: () => 'The lines below deny everyone else: your own clients too, unless --allow names them.',
    write: (listing) =>
      lines(
        comment(listing),
        '# In the frontend or backend:',
        `#   acl ${listing.name} src -f /etc/haproxy/${listing.name}.acl`,
        `#   http-request deny unless ${listing.name}`,
        '# With mode tcp, in the frontend:',
        `#   tcp-request connection reject unless ${listing.name}`,
        listing.prefixes.flatMap(({ cidr, about }) => [`# ${about}`, cidr])
      )
  },
  traefik: {
    about: 'Traefik 3: an ipAllowList middleware, as dynamic configuration in YAML',
    name: {
      pattern: /^[A-Za-z][A-Za-z0-9_-]{0,62}$/,
      rule: 'letters, digits, underscores and hyphens, with a letter first'
    },
    shutsOut: () =>
      'On routers with this middleware everyone else gets 403: your own clients too, unless --allow names them.',
    write: (listing) =>
      lines(
        comment(listing),
        'http:',
        '  middlewares:',
        `    ${JSON.stringify(listing.name)}:`,
        '      ipAllowList:',
        '        sourceRange:',
        listing.prefixes.map(({ cidr, about }) => `          - "${cidr}" # ${about}`)
      )
  }
} as const satisfies Record<string, Format>
