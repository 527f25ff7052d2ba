/**
 * What each provider documents of the files that we write, as JSON Schema: only what we use is allowed, so that a field
 * that the provider does not know is found. The address of the documentation is the schema's `$comment`.
 */

const IPV4 = '^(?:\\d{1,3}\\.){3}\\d{1,3}/\\d{1,2}$'
const IPV6 = '^[0-9a-f:]+:[0-9a-f:]*/\\d{1,3}$'
const EITHER = `${IPV4}|${IPV6}`

const object = (properties: Record<string, object>, required = Object.keys(properties)) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false
})
const list = (items: object, bounds: { minItems?: number; maxItems?: number } = { minItems: 1 }) => ({
  type: 'array',
  items,
  ...bounds
})
const text = (pattern: string, maxLength = 2048) => ({ type: 'string', pattern, maxLength })
const exactly = (value: unknown) => ({ const: value })
const port = { type: 'integer', minimum: 1, maximum: 65535 }

/** Descriptions of EC2: up to 255 characters of these. */
const ec2Description = text('^[a-zA-Z0-9 ._:/()#,@\\[\\]+=&;{}!$*-]*$', 255)
const wafDescription = { ...text('^[\\w+=:#@/,.-][\\w+=:#@/,.\\s-]+[\\w+=:#@/,.-]$', 256), minLength: 1 }
const tags = list(object({ Key: text('^(?!aws:).+$', 128), Value: text('^[\\w\\s.:/=+@,-]*$', 256) }))

const ingress = {
  oneOf: ['CidrIp', 'CidrIpv6'].map((cidr) =>
    object({
      IpProtocol: exactly('tcp'),
      FromPort: port,
      ToPort: port,
      [cidr]: text(cidr === 'CidrIp' ? IPV4 : IPV6),
      Description: ec2Description
    })
  )
}

const ipSet = (more: Record<string, object>) => ({
  oneOf: (
    [
      ['IPV4', IPV4],
      ['IPV6', IPV6]
    ] as const
  ).map(([version, pattern]) =>
    object({
      Name: text('^[\\w-]+$', 128),
      Description: wafDescription,
      IPAddressVersion: exactly(version),
      Addresses: list(text(pattern), { minItems: 1, maxItems: 10_000 }),
      ...more
    })
  )
})

const template = (parameters: object, resources: object, outputs: object) =>
  object({
    AWSTemplateFormatVersion: exactly('2010-09-09'),
    Description: { type: 'string', maxLength: 1024 },
    Parameters: parameters,
    Resources: resources,
    Outputs: outputs
  })

const getAtt = (names: string, attribute: string) =>
  object({
    Value: object({
      'Fn::GetAtt': { type: 'array', prefixItems: [text(names), exactly(attribute)], items: false, minItems: 2 }
    })
  })

export const SCHEMAS = {
  traefik: {
    $comment: 'https://doc.traefik.io/traefik/middlewares/http/ipallowlist/',
    ...object({
      http: object({
        middlewares: {
          type: 'object',
          propertyNames: text('^[^@]+$'),
          minProperties: 1,
          additionalProperties: object({ ipAllowList: object({ sourceRange: list(text(EITHER)) }) })
        }
      })
    })
  },
  'aws-security-group-cloudformation': {
    $comment: 'https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-ec2-securitygroup.html',
    ...template(
      object({ VpcId: object({ Type: exactly('AWS::EC2::VPC::Id'), Description: { type: 'string' } }) }),
      object({
        SecurityGroup: object({
          Type: exactly('AWS::EC2::SecurityGroup'),
          Properties: object({
            GroupName: text('^(?!sg-)[a-zA-Z0-9 ._:/()#,@\\[\\]+=&;{}!$*-]+$', 255),
            GroupDescription: ec2Description,
            VpcId: object({ Ref: exactly('VpcId') }),
            SecurityGroupIngress: list(ingress),
            Tags: tags
          })
        })
      }),
      object({ GroupId: getAtt('^SecurityGroup$', 'GroupId') })
    )
  },
  'aws-security-group-cli': {
    $comment: 'https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html',
    ...list(
      object({
        IpProtocol: exactly('tcp'),
        FromPort: port,
        ToPort: port,
        IpRanges: list(object({ CidrIp: text(IPV4), Description: ec2Description }), { maxItems: 60 }),
        Ipv6Ranges: list(object({ CidrIpv6: text(IPV6), Description: ec2Description }), { maxItems: 60 })
      }),
      { minItems: 1, maxItems: 1 }
    )
  },
  'aws-waf-ipset-cloudformation': {
    $comment: 'https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-wafv2-ipset.html',
    ...template(
      object({
        Scope: object({
          Type: exactly('String'),
          Default: exactly('REGIONAL'),
          AllowedValues: exactly(['REGIONAL', 'CLOUDFRONT'])
        })
      }),
      {
        type: 'object',
        minProperties: 1,
        propertyNames: text('^[A-Za-z0-9]+$', 255),
        additionalProperties: object({
          Type: exactly('AWS::WAFv2::IPSet'),
          Properties: ipSet({ Scope: object({ Ref: exactly('Scope') }) })
        })
      },
      { type: 'object', minProperties: 1, additionalProperties: getAtt('^IPSetIPV[46]$', 'Arn') }
    )
  },
  'aws-waf-ipset-cli': {
    $comment:
      'https://docs.aws.amazon.com/waf/latest/APIReference/API_CreateIPSet.html; Scope is given on the command line',
    ...list(ipSet({}), { minItems: 1, maxItems: 2 })
  },
  'gcp-cloud-armor': {
    $comment:
      'https://cloud.google.com/compute/docs/reference/rest/v1/securityPolicies and https://cloud.google.com/armor/quotas',
    ...object({
      description: text('.', 2048),
      type: exactly('CLOUD_ARMOR'),
      rules: list(
        object({
          priority: { type: 'integer', minimum: 0, maximum: 2147483647 },
          action: { enum: ['allow', 'deny(403)'] },
          description: text('.', 64),
          match: object({
            versionedExpr: exactly('SRC_IPS_V1'),
            config: object({ srcIpRanges: list(text(`${EITHER}|^\\*$`), { minItems: 1, maxItems: 10 }) })
          })
        }),
        { minItems: 2 }
      )
    })
  },
  'azure-nsg': {
    $comment:
      'https://learn.microsoft.com/en-us/azure/templates/microsoft.network/2023-11-01/networksecuritygroups; a rule has one family',
    ...object({
      $schema: exactly('https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#'),
      contentVersion: exactly('1.0.0.0'),
      metadata: object({ description: text('^[^\\[]') }),
      resources: list(
        object({
          type: exactly('Microsoft.Network/networkSecurityGroups'),
          apiVersion: exactly('2023-11-01'),
          name: text('^[A-Za-z0-9](?:[\\w.-]*\\w)?$', 80),
          location: exactly('[resourceGroup().location]'),
          tags: { type: 'object', maxProperties: 50, additionalProperties: text('.', 256) },
          properties: object({
            securityRules: list(
              object({
                name: text('^\\w(?:[\\w.-]*\\w)?$', 80),
                properties: object({
                  description: text('^[^\\[]', 140),
                  priority: { type: 'integer', minimum: 100, maximum: 4096 },
                  direction: { enum: ['Inbound', 'Outbound'] },
                  access: exactly('Allow'),
                  protocol: { enum: ['*', 'Ah', 'Esp', 'Icmp', 'Tcp', 'Udp'] },
                  sourceAddressPrefixes: { oneOf: [list(text(IPV4)), list(text(IPV6))] },
                  sourcePortRange: exactly('*'),
                  destinationAddressPrefix: exactly('*'),
                  destinationPortRange: text('^\\d{1,5}$')
                })
              })
            )
          })
        }),
        { minItems: 1, maxItems: 1 }
      )
    })
  },
  'cloudflare-list': {
    $comment: 'https://developers.cloudflare.com/waf/tools/lists/lists-api/json-object/',
    ...list(object({ ip: text(EITHER), comment: text('.', 500) }))
  },
  'kubernetes-network-policy': {
    $comment: 'https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/',
    ...object({
      apiVersion: exactly('networking.k8s.io/v1'),
      kind: exactly('NetworkPolicy'),
      metadata: object({
        name: text('^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$', 253),
        annotations: {
          type: 'object',
          propertyNames: text('^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?/[A-Za-z0-9][\\w.-]{0,62}$'),
          additionalProperties: { type: 'string' }
        }
      }),
      spec: object({
        podSelector: object({
          matchLabels: { type: 'object', minProperties: 1, additionalProperties: text('^[A-Za-z0-9][\\w.-]*$', 63) }
        }),
        policyTypes: exactly(['Ingress']),
        ingress: list(
          object({
            ports: list(object({ protocol: { enum: ['TCP', 'UDP', 'SCTP'] }, port })),
            from: list(object({ ipBlock: object({ cidr: text(EITHER) }) }))
          })
        )
      })
    })
  }
} as const
