import { parse } from 'yaml'
import type { ExportFormat } from '../../src/core.js'

const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, found]) => found!)
const uncommented = (text: string) => text.replaceAll(/^\s*#.*\n|\s+#.*$/gm, '')

/** Reads the prefixes back out of a file as the program it is for would; independent of what wrote it. */
export const READERS: Readonly<Record<ExportFormat, (text: string) => string[]>> = {
  nginx: (text) => all(text, /^allow (\S+);/gm),
  apache: (text) => all(text, /^ {2}Require ip (\S+)$/gm),
  caddy: (text) => all(text, /^\tremote_ip (\S+)$/gm),
  haproxy: (text) => all(text, /^([^#\s]\S*)$/gm),
  traefik: (text) => middleware(parse(text)).ipAllowList.sourceRange,
  nftables: (text) =>
    all(uncommented(text), /elements = \{([^}]*)\}/g).flatMap((elements) =>
      elements
        .split(',')
        .map((element) => element.trim())
        .filter((element) => element !== '')
    ),
  ipset: (text) => all(text, /^add \w+_new (\S+) comment "/gm),
  'sshd-match-address': (text) => {
    const [first, ...rest] = all(text, /^Match User \S+ Address (\S+)$/gm)[0]!.split(',')
    if (first !== '*') throw new Error(`The block is not for everybody: ${first}`)
    return rest.map((pattern) => pattern.replace(/^!/, ''))
  },
  'aws-security-group-terraform': (text) => all(uncommented(text), /^ {4}"(\S+)"\s+= "/gm),
  'aws-security-group-cloudformation': (text) =>
    JSON.parse(text).Resources.SecurityGroup.Properties.SecurityGroupIngress.map(
      (rule: { CidrIp?: string; CidrIpv6?: string }) => rule.CidrIp ?? rule.CidrIpv6
    ),
  'aws-security-group-cli': (text) => {
    const [{ IpRanges, Ipv6Ranges }] = JSON.parse(text)
    return [
      ...IpRanges.map(({ CidrIp }: { CidrIp: string }) => CidrIp),
      ...Ipv6Ranges.map(({ CidrIpv6 }: { CidrIpv6: string }) => CidrIpv6)
    ]
  },
  'aws-prefix-list-terraform': (text) => all(text, /^ {4}cidr += "(\S+)"$/gm),
  'aws-waf-ipset-terraform': (text) => all(uncommented(text), /^ {4}"(\S+)",/gm),
  'aws-waf-ipset-cloudformation': (text) =>
    Object.values(JSON.parse(text).Resources as Record<string, { Properties: { Addresses: string[] } }>).flatMap(
      ({ Properties }) => Properties.Addresses
    ),
  'aws-waf-ipset-cli': (text) => JSON.parse(text).flatMap(({ Addresses }: { Addresses: string[] }) => Addresses),
  'gcp-cloud-armor': (text) =>
    parse(text)
      .rules.filter(({ action }: { action: string }) => action === 'allow')
      .flatMap(({ match }: { match: { config: { srcIpRanges: string[] } } }) => match.config.srcIpRanges),
  'azure-nsg': (text) =>
    JSON.parse(text).resources[0].properties.securityRules.flatMap(
      ({ properties }: { properties: { sourceAddressPrefixes: string[] } }) => properties.sourceAddressPrefixes
    ),
  'cloudflare-list': (text) => JSON.parse(text).map(({ ip }: { ip: string }) => ip),
  'kubernetes-network-policy': (text) =>
    parse(text).spec.ingress[0].from.map(({ ipBlock }: { ipBlock: { cidr: string } }) => ipBlock.cidr),
  'snowflake-network-policy': (text) => {
    const statements = text.replaceAll(/--.*$/gm, '')
    return all(/VALUE_LIST = \(([^)]*)\)/.exec(statements)![1]!, /'([^']*)'/g)
  },
  json: (text) => JSON.parse(text).prefixes.map(({ prefix }: { prefix: string }) => prefix),
  csv: (text) => all(text, /^([^,]+),[46],"/gm),
  text: (text) => all(text, /^([^#\s]\S*)$/gm)
}

const middleware = (file: { http: { middlewares: Record<string, { ipAllowList: { sourceRange: string[] } }> } }) =>
  Object.values(file.http.middlewares)[0]!
