import { ExportError } from '../errors.js'
import {
  checkRoom,
  comment,
  cut,
  described,
  type Format,
  json,
  type ListedPrefix,
  type Listing,
  lines,
  ofFamily
} from './listing.js'

/** Maximum number of prefixes in a basic rule of Cloud Armor. */
const MAX_IN_RULE = 10
/** Maximum number of prefixes in a network security group. */
const MAX_IN_GROUP = 4000

/** Reserved and limited keywords: https://docs.snowflake.com/en/sql-reference/reserved-keywords */
const SNOWFLAKE_WORDS = new RegExp(
  `^(?:${[
    'account|all|alter|and|any|as|asc|between|by|case|cast|check|column|connect|connection|constraint|create|cross',
    'current|current_date|current_time|current_timestamp|current_user|database|delete|desc|distinct|drop|else|exists',
    'false|following|for|from|full|grant|group|gscluster|having|if|ilike|in|increment|inner|insert|intersect|into|is',
    'issue|join|lateral|left|like|localtime|localtimestamp|minus|natural|not|null|of|on|or|order|organization|outer',
    'qualify|regexp|revoke|right|rlike|row|rows|sample|schema|select|set|some|start|table|tablesample|then|to|trigger',
    'true|try_cast|union|unique|update|using|values|view|when|whenever|where|with'
  ].join('|')})$`,
  'i'
)

export const cloudFormats = {
  'gcp-cloud-armor': {
    about: 'Google Cloud Armor: a security policy in YAML, for gcloud compute security-policies import',
    shutsOut: () => 'Behind this policy everyone else gets 403: your own clients too, unless --allow names them.',
    write: (listing) =>
      lines(
        comment(listing),
        `description: "MoEngage, ${listing.stamp}"`,
        'type: CLOUD_ARMOR',
        'rules:',
        chunks(listing.prefixes).flatMap((prefixes, i) => [
          `  - priority: ${1000 + i}`,
          '    action: allow',
          `    description: "MoEngage, part ${i + 1}"`,
          '    match:',
          '      versionedExpr: SRC_IPS_V1',
          '      config:',
          '        srcIpRanges:',
          ...prefixes.map(({ cidr, about }) => `          - "${cidr}" # ${about}`)
        ]),
        '  - priority: 2147483647',
        '    action: deny(403)',
        '    description: "Everyone else"',
        '    match:',
        '      versionedExpr: SRC_IPS_V1',
        '      config:',
        '        srcIpRanges:',
        '          - "*"'
      )
  },
  'azure-nsg': {
    about: 'Azure: a network security group, as a Resource Manager template',
    name: {
      pattern: /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,73}[A-Za-z0-9_])?$/,
      rule: 'up to 75 letters, digits, underscores, dots and hyphens, with a letter or digit first and no dot or hyphen last'
    },
    port: true,
    shutsOut: ({ port }) =>
      `From the internet no other address reaches port ${port}: your own clients neither, unless --allow names them.`,
    write: (listing) => {
      const prefixes = widest(listing.prefixes)
      checkRoom(prefixes, 'prefixes', 'a network security group', MAX_IN_GROUP)
      return json({
        $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
        contentVersion: '1.0.0.0',
        metadata: { description: listing.warning },
        resources: [
          {
            type: 'Microsoft.Network/networkSecurityGroups',
            apiVersion: '2023-11-01',
            name: listing.name,
            location: '[resourceGroup().location]',
            tags: { 'moengage-allowlist': listing.stamp },
            properties: {
              securityRules: [
                securityRule({ ...listing, prefixes }, 4, 100),
                securityRule({ ...listing, prefixes }, 6, 101)
              ].filter((rule) => rule.properties.sourceAddressPrefixes.length > 0)
            }
          }
        ]
      })
    }
  },
  'cloudflare-list': {
    about: 'Cloudflare: the items of an IP list, for its API',
    write: (listing) => {
      for (const { prefix, cidr } of listing.prefixes) {
        const { family } = prefix.address
        const [shortest, longest] = family === 4 ? [8, 32] : [12, 64]
        if (prefix.length >= shortest && prefix.length <= longest) continue
        throw new ExportError({
          path: 'format',
          value: cidr,
          message: `${cidr} cannot be in a list of Cloudflare, which takes IPv${family} prefixes of /${shortest} to /${longest}.`,
          fix: 'Use another format, or write a rule for this prefix by hand.'
        })
      }
      return json(listing.prefixes.map((one) => ({ ip: one.cidr, comment: described(one, listing, 500) })))
    }
  },
  'kubernetes-network-policy': {
    about: 'Kubernetes: a NetworkPolicy for the pods with the label app: NAME',
    name: {
      pattern: /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
      rule: 'up to 63 lower-case letters, digits and hyphens, with no hyphen at an end'
    },
    port: true,
    shutsOut: ({ name }) =>
      `Pods with the label app: ${name} accept nothing else, on any port and from inside the cluster either, unless --allow names it.`,
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
      rule: 'up to 255 letters, digits and underscores, with no digit first',
      reserved: SNOWFLAKE_WORDS
    },
    shutsOut: () =>
      'Who has this policy can log in from no other address. Give it to one user: on the account it would lock you out.',
    write: (listing) => {
      const values = ofFamily(listing, 4)
      const leftOut = ofFamily(listing, 6)
      if (values.length === 0) {
        throw new ExportError({
          path: 'format',
          value: leftOut.map(({ cidr }) => cidr),
          message: 'The selection has IPv6 prefixes only, and a network rule of Snowflake takes IPv4.',
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

function chunks(prefixes: readonly ListedPrefix[]): ListedPrefix[][] {
  return Array.from({ length: Math.ceil(prefixes.length / MAX_IN_RULE) }, (_, i) =>
    prefixes.slice(i * MAX_IN_RULE, (i + 1) * MAX_IN_RULE)
  )
}

/** Azure refuses a rule with a prefix inside of another (OverlappingSubnetsNotPermittedInSecurityRule). */
function widest(prefixes: readonly ListedPrefix[]): readonly ListedPrefix[] {
  let outer: ListedPrefix | undefined
  // In the order of a listing, a prefix follows those that contain it.
  return prefixes.filter((one) => {
    if (outer?.prefix.contains(one.prefix)) return false
    outer = one
    return true
  })
}

/** A rule has one family. The group itself denies what no rule allows. */
function securityRule(listing: Listing, family: 4 | 6, priority: number) {
  return {
    name: `${listing.name}-ipv${family}`,
    properties: {
      description: cut(`MoEngage, ${listing.stamp}`, 140),
      priority,
      direction: 'Inbound',
      access: 'Allow',
      protocol: 'Tcp',
      sourceAddressPrefixes: ofFamily(listing, family).map(({ cidr }) => cidr),
      sourcePortRange: '*',
      destinationAddressPrefix: '*',
      destinationPortRange: String(listing.port)
    }
  }
}
