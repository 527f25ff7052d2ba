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
  type NameRule,
  ofFamily,
  type Target
} from './listing.js'

/** The default quota of rules in a security group, counted for each family. */
const MAX_RULES = 60
/** The default quota of entries in a prefix list. */
const MAX_IN_LIST = 1_000
/** Maximum number of addresses in an IP set. */
const MAX_IN_SET = 10_000
/** Maximum length of a rule's description. */
const MAX_DESCRIPTION = 255
/** Never changes: for AWS, a security group with another description is another security group. */
const GROUP_DESCRIPTION = 'Lets MoEngage in. Written by moengage-allowlist.'

const NAME: NameRule = {
  pattern: /^(?!sg-|default$)[A-Za-z][A-Za-z0-9_-]{0,99}$/,
  rule: 'up to 100 letters, digits, underscores and hyphens, with a letter first, and neither "default" nor beginning with "sg-"'
}

const ONLY = ({ port }: Target) =>
  `Only these addresses reach port ${port} of a resource with this group alone: your own clients need --allow, or another group.`

export const awsFormats = {
  'aws-security-group-terraform': {
    about: 'AWS security group, Terraform',
    name: NAME,
    port: true,
    shutsOut: ONLY,
    write: (listing) => {
      checkFamilies(listing, MAX_RULES, 'a security group')
      const { name, port } = listing
      return lines(
        comment(listing),
        `variable "${name}_vpc_id" {`,
        '  type        = string',
        '  description = "The VPC of the security group"',
        '}',
        '',
        `resource "aws_security_group" "${name}" {`,
        `  name        = "${name}"`,
        `  description = "${GROUP_DESCRIPTION}"`,
        `  vpc_id      = var.${name}_vpc_id`,
        `  tags        = { "moengage-allowlist" = "${listing.stamp}" }`,
        '}',
        families(listing).flatMap(({ family, prefixes }) => [
          '',
          `resource "aws_vpc_security_group_ingress_rule" "${name}_ipv${family}" {`,
          '  for_each = {',
          ...aligned(prefixes.map(({ cidr, about }) => [`"${cidr}"`, `= "${cut(about, MAX_DESCRIPTION)}"`])),
          '  }',
          `  security_group_id = aws_security_group.${name}.id`,
          `  cidr_ipv${family}         = each.key`,
          '  description       = each.value',
          '  ip_protocol       = "tcp"',
          `  from_port         = ${port}`,
          `  to_port           = ${port}`,
          '}'
        ]),
        '',
        '# AWS lets a new group out everywhere. Terraform removes that rule, and CloudFormation keeps it.',
        egress(name, 4, '0.0.0.0/0'),
        egress(name, 6, '::/0')
      )
    }
  },
  'aws-security-group-cloudformation': {
    about: 'AWS security group, CloudFormation (JSON)',
    name: NAME,
    port: true,
    shutsOut: ONLY,
    write: (listing) => {
      checkFamilies(listing, MAX_RULES, 'a security group')
      return template(listing, {
        Parameters: { VpcId: { Type: 'AWS::EC2::VPC::Id', Description: 'The VPC of the security group' } },
        Resources: {
          SecurityGroup: {
            Type: 'AWS::EC2::SecurityGroup',
            Properties: {
              GroupName: listing.name,
              GroupDescription: GROUP_DESCRIPTION,
              VpcId: { Ref: 'VpcId' },
              SecurityGroupIngress: listing.prefixes.map(({ prefix, cidr, about }) => ({
                IpProtocol: 'tcp',
                FromPort: listing.port,
                ToPort: listing.port,
                [prefix.address.family === 4 ? 'CidrIp' : 'CidrIpv6']: cidr,
                Description: cut(about, MAX_DESCRIPTION)
              })),
              Tags: [{ Key: 'moengage-allowlist', Value: listing.stamp }]
            }
          }
        },
        Outputs: { GroupId: { Value: { 'Fn::GetAtt': ['SecurityGroup', 'GroupId'] } } }
      })
    }
  },
  'aws-security-group-cli': {
    about: 'AWS security group, for aws ec2 authorize-security-group-ingress --ip-permissions',
    port: true,
    write: (listing) => {
      checkFamilies(listing, MAX_RULES, 'a security group')
      const describe = (one: ListedPrefix) => described(one, listing, MAX_DESCRIPTION)
      return json([
        {
          IpProtocol: 'tcp',
          FromPort: listing.port,
          ToPort: listing.port,
          IpRanges: ofFamily(listing, 4).map((one) => ({ CidrIp: one.cidr, Description: describe(one) })),
          Ipv6Ranges: ofFamily(listing, 6).map((one) => ({ CidrIpv6: one.cidr, Description: describe(one) }))
        }
      ])
    }
  },
  'aws-prefix-list-terraform': {
    about: 'AWS managed prefix lists, Terraform: for security groups and route tables',
    name: NAME,
    write: (listing) => {
      checkFamilies(listing, MAX_IN_LIST, 'a prefix list')
      return lines(
        comment(listing),
        '# A security group counts max_entries of a list as its rules, whether they are used or not.',
        families(listing).flatMap(({ family, prefixes }, i) => [
          ...(i === 0 ? [] : ['']),
          `resource "aws_ec2_managed_prefix_list" "${listing.name}_ipv${family}" {`,
          `  name           = "${listing.name}-ipv${family}"`,
          `  address_family = "IPv${family}"`,
          `  max_entries    = ${roomFor(prefixes.length)}`,
          `  tags           = { "moengage-allowlist" = "${listing.stamp}" }`,
          ...prefixes.flatMap(({ cidr, about }) => [
            '',
            '  entry {',
            `    cidr        = "${cidr}"`,
            `    description = "${cut(about, MAX_DESCRIPTION)}"`,
            '  }'
          ]),
          '}'
        ])
      )
    }
  },
  'aws-waf-ipset-terraform': {
    about: 'AWS WAF IP sets, Terraform',
    name: NAME,
    write: (listing) => {
      checkFamilies(listing, MAX_IN_SET, 'an IP set')
      return lines(
        comment(listing),
        `variable "${listing.name}_scope" {`,
        '  type        = string',
        '  default     = "REGIONAL"',
        '  description = "REGIONAL, or CLOUDFRONT (in us-east-1)"',
        '}',
        families(listing).flatMap(({ family, prefixes }) => [
          '',
          `resource "aws_wafv2_ip_set" "${listing.name}_ipv${family}" {`,
          `  name               = "${listing.name}-ipv${family}"`,
          `  description        = "${setDescription(listing)}"`,
          `  scope              = var.${listing.name}_scope`,
          `  ip_address_version = "IPV${family}"`,
          '  addresses = [',
          ...aligned(prefixes.map(({ cidr, about }) => [`"${cidr}",`, `# ${about}`])),
          '  ]',
          '}'
        ])
      )
    }
  },
  'aws-waf-ipset-cloudformation': {
    about: 'AWS WAF IP sets, CloudFormation (JSON)',
    name: NAME,
    write: (listing) => {
      const sets = ipSets(listing)
      return template(listing, {
        Parameters: {
          Scope: { Type: 'String', Default: 'REGIONAL', AllowedValues: ['REGIONAL', 'CLOUDFRONT'] }
        },
        Resources: Object.fromEntries(
          sets.map((set) => [
            `IPSet${set.IPAddressVersion}`,
            { Type: 'AWS::WAFv2::IPSet', Properties: { ...set, Scope: { Ref: 'Scope' } } }
          ])
        ),
        Outputs: Object.fromEntries(
          sets.map(({ IPAddressVersion }) => [
            `Arn${IPAddressVersion}`,
            { Value: { 'Fn::GetAtt': [`IPSet${IPAddressVersion}`, 'Arn'] } }
          ])
        )
      })
    }
  },
  'aws-waf-ipset-cli': {
    about: 'AWS WAF IP sets: a list of inputs for aws wafv2 create-ip-set --cli-input-json',
    name: NAME,
    write: (listing) => json(ipSets(listing))
  }
} as const satisfies Record<string, Format>

function egress(name: string, family: 4 | 6, everyone: string): string[] {
  return [
    ...(family === 4 ? [] : ['']),
    `resource "aws_vpc_security_group_egress_rule" "${name}_ipv${family}" {`,
    `  security_group_id = aws_security_group.${name}.id`,
    `  cidr_ipv${family}         = "${everyone}"`,
    '  ip_protocol       = "-1"',
    '}'
  ]
}

/** In steps of ten, so that the size of a list seldom changes. */
const roomFor = (count: number) => Math.min(MAX_IN_LIST, Math.ceil(count / 10) * 10)

function families(listing: Listing) {
  return ([4, 6] as const)
    .map((family) => ({ family, prefixes: ofFamily(listing, family) }))
    .filter(({ prefixes }) => prefixes.length > 0)
}

const setDescription = (listing: Listing) => `MoEngage, ${listing.stamp}`

function ipSets(listing: Listing) {
  checkFamilies(listing, MAX_IN_SET, 'an IP set')
  return families(listing).map(({ family, prefixes }) => ({
    Name: `${listing.name}-ipv${family}`,
    Description: setDescription(listing),
    IPAddressVersion: `IPV${family}`,
    Addresses: prefixes.map(({ cidr }) => cidr)
  }))
}

function template(listing: Listing, parts: object): string {
  return json({
    AWSTemplateFormatVersion: '2010-09-09',
    Description: cut([listing.warning, `${listing.title}, ${listing.stamp}`].filter(Boolean).join(' '), 1024),
    ...parts
  })
}

/** A quota holds for each family. */
function checkFamilies(listing: Listing, max: number, where: string): void {
  for (const { family, prefixes } of families(listing)) checkRoom(prefixes, `IPv${family} prefixes`, where, max)
}

/** Two columns, as `terraform fmt` writes them. */
function aligned(pairs: readonly (readonly [left: string, right: string])[]): string[] {
  const width = Math.max(...pairs.map(([left]) => left.length))
  return pairs.map(([left, right]) => `    ${left.padEnd(width)} ${right}`)
}
