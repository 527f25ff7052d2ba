import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import { parse, parseDocument } from 'yaml'
import { DATA_CENTERS, directory, type ExportFormat, exportDirectory } from '../../src/core.js'
import { listOf, MIXED } from './lists.js'
import { SCHEMAS } from './schemas.js'

const BOTH = listOf([['DC-01', 'sms', '9.0.0.1', '2001:db8::/64']])
const LISTS = [
  ...['all', ...DATA_CENTERS].map((dataCenters) => ({ list: directory, dataCenters })),
  { list: MIXED, dataCenters: 'all' },
  { list: BOTH, dataCenters: 'all' },
  { list: listOf([['DC-01', 'sms', '2001:db8::/64']]), dataCenters: 'all' }
]

const YAML: readonly ExportFormat[] = ['traefik', 'gcp-cloud-armor', 'kubernetes-network-policy']

t.test('what a provider documents is what is written', async (t) => {
  const ajv = new Ajv2020({ allErrors: true })
  for (const [format, schema] of Object.entries(SCHEMAS) as [ExportFormat, object][]) {
    const validate = ajv.compile(schema)
    for (const { list, dataCenters } of LISTS) {
      const text = exportDirectory(list, { format, dataCenters })
      if (YAML.includes(format)) t.strictSame(parseDocument(text).warnings, [], `${format}: no doubts about the YAML`)
      validate(YAML.includes(format) ? parse(text) : JSON.parse(text))
      t.strictSame(validate.errors, null, `${format} ${dataCenters}`)
    }
    // A schema that lets everything through would prove nothing.
    t.notOk(validate({}), `${format}: nothing`)
    t.notOk(validate([{}]), `${format}: a list of nothing`)
  }
})

t.test('security rules of Azure and rules of Cloud Armor have priorities of their own', async (t) => {
  const azure = JSON.parse(exportDirectory(BOTH, { format: 'azure-nsg', dataCenters: 'all' }))
  const { securityRules } = azure.resources[0].properties
  t.strictSame(
    securityRules.map((rule: { name: string; properties: { priority: number } }) => [
      rule.name,
      rule.properties.priority
    ]),
    [
      ['moengage-ipv4', 100],
      ['moengage-ipv6', 101]
    ]
  )
  const { rules } = parse(exportDirectory(directory, { format: 'gcp-cloud-armor', dataCenters: 'all' }))
  const priorities = rules.map(({ priority }: { priority: number }) => priority)
  t.equal(new Set(priorities).size, priorities.length)
})

/** https://registry.terraform.io/providers/hashicorp/aws/latest/docs: the arguments of the resources that we write. */
const TERRAFORM: Record<string, readonly string[]> = {
  variable: ['type', 'default', 'description'],
  aws_security_group: ['name', 'description', 'vpc_id', 'tags'],
  aws_vpc_security_group_ingress_rule: [
    'for_each',
    'security_group_id',
    'cidr_ipv4',
    'cidr_ipv6',
    'description',
    'ip_protocol',
    'from_port',
    'to_port'
  ],
  aws_vpc_security_group_egress_rule: ['security_group_id', 'cidr_ipv4', 'cidr_ipv6', 'ip_protocol'],
  aws_ec2_managed_prefix_list: ['name', 'address_family', 'max_entries', 'tags'],
  aws_wafv2_ip_set: ['name', 'description', 'scope', 'ip_address_version', 'addresses']
}

t.test('Terraform gets blocks and arguments that it knows', async (t) => {
  for (const [format, count] of [
    ['aws-security-group-terraform', 6],
    ['aws-prefix-list-terraform', 2],
    ['aws-waf-ipset-terraform', 3]
  ] as const) {
    const text = exportDirectory(BOTH, { format, dataCenters: 'all' })
    const blocks = [...text.matchAll(/^(?:(variable)|resource "(\w+)") "(\w+)" \{\n([\s\S]*?)^\}$/gm)]
    t.equal(blocks.length, count, format)
    t.equal(new Set(blocks.map(([, , type, name]) => `${type} ${name}`)).size, count, 'no block twice')
    for (const [block, variable, type, , body] of blocks) {
      const found = [...body!.matchAll(/^ {2}(\w+) +=/gm)].map(([, argument]) => argument!)
      const known = TERRAFORM[variable ?? type!]!
      for (const argument of found) t.ok(known.includes(argument), `${type}: ${argument}`)
      const [, family] = /ipv([46])" \{/.exec(block!) ?? []
      if (family === '4') t.notMatch(body, /2001|cidr_ipv6|IPV6/)
      if (family === '6') t.notMatch(body, /9\.0\.0\.1|cidr_ipv4|IPV4/)
    }
    const outside = blocks.reduce((rest, [block]) => rest.replace(block!, ''), text).replaceAll(/^#.*$/gm, '')
    t.equal(outside.trim(), '', 'nothing stands outside of the blocks')
    t.notMatch(text, /[$%]\{/, 'no template')
    // A new description is a new security group.
    t.notMatch(/description = "(.*)"\n {2}vpc_id/.exec(text)?.[1] ?? '', /revision/)
  }
})

/**
 * https://docs.snowflake.com/en/sql-reference/sql/create-network-rule and …/create-network-policy, as one expression.
 */
const SNOWFLAKE =
  /^CREATE NETWORK RULE (\w+) TYPE = IPV4 MODE = INGRESS VALUE_LIST = \( ('[\d.]+\/\d+'(?:, '[\d.]+\/\d+')*) \) COMMENT = '[^']*'; CREATE NETWORK POLICY \1 ALLOWED_NETWORK_RULE_LIST = \('\1'\) COMMENT = '[^']*';$/

t.test('a security group of Terraform lets out what that of CloudFormation does', async (t) => {
  const text = exportDirectory(BOTH, { format: 'aws-security-group-terraform', dataCenters: 'all' })
  for (const [family, cidr] of [
    [4, '0\\.0\\.0\\.0/0'],
    [6, '::/0']
  ]) {
    const rule = `resource "aws_vpc_security_group_egress_rule" "moengage_ipv${family}" \\{\n  security_group_id = aws_security_group\\.moengage\\.id\n  cidr_ipv${family} +  = "${cidr}"\n  ip_protocol +  = "-1"\n\\}\n`
    t.match(text, new RegExp(rule.replaceAll(' +  =', ' +=')), `IPv${family}`)
  }
})

t.test('a prefix list has room for its entries, and for a few more', async (t) => {
  for (const [count, room] of [
    [1, 10],
    [10, 10],
    [11, 20],
    [995, 1000],
    [1000, 1000]
  ] as const) {
    const hosts = Array.from({ length: count }, (_, i) => `9.0.${i >> 8}.${i & 255}`)
    const list = listOf([['DC-01', 'sms', ...hosts]])
    const text = exportDirectory(list, { format: 'aws-prefix-list-terraform', dataCenters: 'all' })
    t.match(text, `  max_entries    = ${room}\n`)
    t.equal(text.match(/^ {2}entry \{\n {4}cidr {8}= ".*"\n {4}description = "DC-01: sms"\n {2}\}$/gm)!.length, count)
  }
})

t.test('Snowflake gets its two statements', async (t) => {
  for (const { list, dataCenters } of LISTS.slice(0, -1)) {
    const text = exportDirectory(list, { format: 'snowflake-network-policy', dataCenters, name: 'feeds' })
    const statements = text.replaceAll(/--.*$/gm, '').replaceAll(/\s+/g, ' ').trim()
    t.match(statements, SNOWFLAKE, dataCenters)
  }
})

t.test('CSV has as many fields in each row as its header names', async (t) => {
  const [header, ...rows] = exportDirectory(MIXED, { format: 'csv', dataCenters: 'all' }).trimEnd().split('\n')
  t.equal(header, 'prefix,family,purposes,revision,retrieved')
  for (const row of rows) t.match(row, /^[^,"]+,[46],"[^"]+",[^,"]+,\d{4}-\d\d-\d\d$/)
})
