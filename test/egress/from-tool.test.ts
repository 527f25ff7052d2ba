import fc from 'fast-check'
import t from 'tap'
import { checkEgress } from '../../src/core.js'
import { readToolOutput, TOOL_NAMES, type ToolName } from '../../src/egress/from-tool.js'
import { runs } from '../support/properties.js'

const read = (tool: ToolName, output: unknown) => readToolOutput(tool, JSON.stringify(output))

t.test('aws ec2 describe-nat-gateways: the public addresses of gateways that exist', async (t) => {
  const output = {
    NatGateways: [
      {
        NatGatewayId: 'nat-1',
        State: 'available',
        NatGatewayAddresses: [{ PublicIp: '9.9.9.9', PrivateIp: '10.0.0.1' }, { PublicIp: '9.9.9.10' }],
        Tags: [
          { Key: 'Env', Value: 'x' },
          { Key: 'Name', Value: 'NAT a' }
        ]
      },
      { NatGatewayId: 'nat-2', State: 'deleted', NatGatewayAddresses: [{ PublicIp: '9.9.9.11' }] },
      {
        NatGatewayId: 'nat-3',
        ConnectivityType: 'private',
        NatGatewayAddresses: [{ PrivateIp: '10.0.0.2' }],
        Tags: []
      },
      { NatGatewayId: 'nat-4', State: 'pending', NatGatewayAddresses: [{ PublicIp: '9.9.9.12' }] }
    ]
  }
  t.strictSame(read('aws-nat', output), {
    entries: [
      { value: '9.9.9.9', name: 'NAT a' },
      { value: '9.9.9.10', name: 'NAT a' },
      { value: '9.9.9.12', name: 'nat-4' }
    ],
    leftOut: ['nat-2 is deleted.', 'nat-3 has no public address.']
  })
})

t.test('aws ec2 describe-addresses: Elastic IPs', async (t) => {
  const output = {
    Addresses: [
      { AllocationId: 'eipalloc-1', PublicIp: '9.9.9.9', Tags: [{ Key: 'Name', Value: 'egress\n#1' }] },
      { AllocationId: 'eipalloc-2', PublicIp: '9.9.9.10' },
      { AllocationId: 'eipalloc-3', PublicIp: '9.9.9.11', Tags: [{ Key: 'Name', Value: `${'a'.repeat(199)}💡` }] }
    ]
  }
  t.strictSame(read('aws-addresses', output).entries, [
    { value: '9.9.9.9', name: 'egress #1' },
    { value: '9.9.9.10', name: 'eipalloc-2' },
    { value: '9.9.9.11', name: 'a'.repeat(199) }
  ])
})

t.test('gcloud compute addresses list: external addresses', async (t) => {
  const output = [
    { name: 'nat-a', address: '9.9.9.9', addressType: 'EXTERNAL' },
    { name: 'vpc', address: '10.0.0.0', prefixLength: 16, addressType: 'INTERNAL' },
    { name: 'v6', address: '2620:fe::', prefixLength: 96, addressType: 'EXTERNAL' }
  ]
  t.strictSame(read('gcloud-addresses', output), {
    entries: [
      { value: '9.9.9.9', name: 'nat-a' },
      { value: '2620:fe::/96', name: 'v6' }
    ],
    leftOut: ['vpc is internal.']
  })
})

t.test('az network public-ip list: addresses that are there', async (t) => {
  const output = [
    { name: 'nat-a', ipAddress: '9.9.9.9' },
    { name: 'dynamic', ipAddress: null },
    { ipAddress: '9.9.9.10' }
  ]
  t.strictSame(read('azure-public-ips', output), {
    entries: [
      { value: '9.9.9.9', name: 'nat-a' },
      { value: '9.9.9.10', name: 'unnamed' }
    ],
    leftOut: ['dynamic has no public address.']
  })
})

t.test('terraform output -json: all outputs with addresses, or the value of one', async (t) => {
  const all = {
    nat_ips: { sensitive: false, type: ['list', 'string'], value: ['9.9.9.9', '9.9.9.10'] },
    by_zone: { sensitive: false, type: ['map', 'string'], value: { a: '9.9.9.11', b: ['10.0.0.1'] } },
    vpc_id: { sensitive: false, type: 'string', value: 'vpc-1' },
    count: { sensitive: false, type: 'number', value: 3 },
    token: { sensitive: true, type: 'string', value: '9.9.9.12' }
  }
  const { entries, leftOut } = read('terraform-output', all)
  t.strictSame(entries, [
    { value: '9.9.9.9', name: 'nat_ips[0]' },
    { value: '9.9.9.10', name: 'nat_ips[1]' },
    { value: '9.9.9.11', name: 'by_zone.a' }
  ])
  t.match(leftOut, [
    /^by_zone\.b: "10\.0\.0\.1" is a private address/,
    'vpc_id holds no public address.',
    'count holds no public address.',
    'token is sensitive.'
  ])
  t.strictSame(read('terraform-output', ['9.9.9.9']).entries, [{ value: '9.9.9.9', name: 'output' }])
  t.strictSame(read('terraform-output', '9.9.9.9').entries, [{ value: '9.9.9.9', name: 'output' }])
})

t.test('what is not the output of the tool is refused, with the command to run', async (t) => {
  const table: [tool: ToolName, text: string, message: RegExp][] = [
    ['aws-nat', '', /It is empty/],
    ['aws-nat', 'x', /It is not JSON/],
    ['aws-nat', '[]', /output of 'aws ec2 describe-nat-gateways': It has no list NatGateways\. Run the command/],
    ['aws-nat', 'null', /no list NatGateways/],
    ['aws-nat', '{"NatGateways":[7]}', /no list NatGateways/],
    ['aws-nat', '{"NatGateways":[{}]}', /no list NatGatewayAddresses/],
    ['aws-nat', '{"NatGateways":[]}', /It holds no public address/],
    ['aws-nat', '{"NatGateways":[],"NextToken":"x"}', /first of several pages/],
    ['aws-nat', '{"NatGateways":[{"NatGatewayId":"nat-2","State":"failed"}]}', /no public address\. nat-2 is failed/],
    ['aws-addresses', '{"NatGateways":[]}', /no list Addresses/],
    ['gcloud-addresses', '{}', /gcloud compute.*no list of addresses\./],
    ['azure-public-ips', '{}', /az network.*no list of public IPs\./],
    ['azure-public-ips', '[{"name":"a","ipAddress":"10.0.0.1"}]', /a: "10\.0\.0\.1" is a private address/],
    ['terraform-output', '{}', /terraform output.*no public address\./],
    ['terraform-output', 'null', /no public address/]
  ]
  for (const [tool, text, message] of table) {
    t.throws(() => readToolOutput(tool, text), { code: 'MOE_ERR_SOURCE', message }, `${tool} ${text}`)
  }
})

t.test('any JSON is refused, or every entry is sound', async () => {
  const key = fc.constantFrom(
    'NatGateways',
    'NatGatewayAddresses',
    'Addresses',
    'PublicIp',
    'address',
    'ipAddress',
    'name',
    'Tags',
    'Key',
    'Value',
    'value',
    'type',
    'State'
  )
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'medium', withCrossShrink: true },
      fc.constantFrom('9.9.9.9', '10.0.0.1', 'Name', '', 'x\ny', null, 7, true),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 4 })
    )
  }))
  const output = fc.oneof(
    value,
    value.map((NatGateways) => ({ NatGateways: [{ NatGatewayAddresses: NatGateways }] }))
  )
  fc.assert(
    fc.property(fc.constantFrom(...TOOL_NAMES), output, (tool, json) => {
      try {
        return checkEgress(readToolOutput(tool, JSON.stringify(json)).entries).ok
      } catch (error) {
        return (error as { code: string }).code === 'MOE_ERR_SOURCE'
      }
    }),
    runs(2000)
  )
})
