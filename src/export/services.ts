import { ExportError } from '../errors.js'
import type { Format } from './format.js'
import { comment, lines, ofFamily } from './listing.js'

export const serviceFormats = {
  'kubernetes-network-policy': {
    about: 'Kubernetes: a NetworkPolicy for the pods with the label app: NAME',
    name: {
      pattern: /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
      rule: 'up to 63 lower-case letters, digits and hyphens, with no hyphen at an end'
    },
    port: true,
    write: (listing) =>
      lines(
        comment(listing),
        'apiVersion: networking.k8s.io/v1',
        'kind: NetworkPolicy',
        'metadata:',
        `  name: "${listing.name}"`,
        '  annotations:',
        `    moengage-allowlist/list: "${listing.stamp}"`,
        'spec:',
        '  podSelector:',
        '    matchLabels:',
        `      app: "${listing.name}"`,
        '  policyTypes:',
        '    - Ingress',
        '  ingress:',
        '    - ports:',
        '        - protocol: TCP',
        `          port: ${listing.port}`,
        '      from:',
        listing.prefixes.flatMap(({ cidr, about }) => [`        - ipBlock: # ${about}`, `            cidr: "${cidr}"`])
      )
  },
  'snowflake-network-policy': {
    about: 'Snowflake: a network rule and a network policy, in SQL',
    name: {
      pattern: /^[A-Za-z_][A-Za-z0-9_]{0,254}$/,
      rule: 'up to 255 letters, digits and underscores, with no digit first'
    },
    write: (listing) => {
      const values = ofFamily(listing, 4)
      const leftOut = ofFamily(listing, 6)
      if (values.length === 0) {
        throw new ExportError({
          path: 'format',
          value: leftOut.map(({ cidr }) => cidr),
          message: 'What is selected has IPv6 prefixes only, and a network rule of Snowflake takes IPv4.',
          fix: 'Use another format.'
        })
      }
      const last = values.length - 1
      return lines(
        comment(listing, '--'),
        leftOut.map(({ cidr }) => `-- Left out, because network rules of Snowflake take IPv4 only: ${cidr}`),
        `-- To update: ALTER NETWORK RULE ${listing.name} SET VALUE_LIST = (the list below);`,
        `CREATE NETWORK RULE ${listing.name}`,
        '  TYPE = IPV4',
        '  MODE = INGRESS',
        '  VALUE_LIST = (',
        values.map(({ cidr, about }, i) => `    '${cidr}'${i === last ? '' : ','} -- ${about}`),
        '  )',
        `  COMMENT = 'MoEngage, ${listing.stamp}';`,
        `CREATE NETWORK POLICY ${listing.name}`,
        `  ALLOWED_NETWORK_RULE_LIST = ('${listing.name}')`,
        `  COMMENT = 'MoEngage, ${listing.stamp}';`
      )
    }
  }
} as const satisfies Record<string, Format>
