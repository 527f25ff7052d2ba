import { ExportError } from '../errors.js'
import { compileMatcher } from '../ip/matcher.js'
import type { Format } from './format.js'
import {
  checkRoom,
  comment,
  cut,
  described,
  json,
  type ListedPrefix,
  type Listing,
  lines,
  ofFamily
} from './listing.js'

/** The most prefixes that one basic rule of Cloud Armor takes. */
const MOST_IN_RULE = 10
/** The most prefixes of one network security group. */
const MOST_IN_GROUP = 4000

export const cloudFormats = {
  'gcp-cloud-armor': {
    about: 'Google Cloud Armor: a security policy in YAML, for gcloud compute security-policies import',
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
        '    description: "Everybody else"',
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
    write: (listing) => {
      const prefixes = widest(listing.prefixes)
      checkRoom(prefixes.length, 'prefixes', 'a network security group', MOST_IN_GROUP)
      return json({
        $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
        contentVersion: '1.0.0.0',
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
          message: `${cidr} cannot stand in a list of Cloudflare, which takes IPv${family} prefixes of /${shortest} to /${longest}.`,
          fix: 'Use another format, or write a rule for this prefix by hand.'
        })
      }
      return json(listing.prefixes.map((one) => ({ ip: one.cidr, comment: described(one, listing, 500) })))
    }
  }
} as const satisfies Record<string, Format>

function chunks(prefixes: readonly ListedPrefix[]): ListedPrefix[][] {
  return Array.from({ length: Math.ceil(prefixes.length / MOST_IN_RULE) }, (_, i) =>
    prefixes.slice(i * MOST_IN_RULE, (i + 1) * MOST_IN_RULE)
  )
}

/** Azure refuses a rule with a prefix inside of another (OverlappingSubnetsNotPermittedInSecurityRule). */
function widest(prefixes: readonly ListedPrefix[]): readonly ListedPrefix[] {
  const matcher = compileMatcher(prefixes.map(({ prefix }) => ({ prefix, grant: prefix })))
  return prefixes.filter(({ prefix }) => matcher.match(prefix.address).every((other) => other.length >= prefix.length))
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
