import { type DataCenter, type DataCenterName, parseDataCenter } from '../directory/names.js'

/** The first parts of the names of MoEngage's hosts that customers call; the number of the data center follows. */
const HOSTS = ['api', 'pushapi', 'sdk', 'fileimports-data-api', 'sandbox-api', 'dashboard', 'oauth2']

/**
 * The hosts of MoEngage that your own firewall must let out, by name: their addresses are not published and change, and MoEngage
 * asks to allow the names. Whether a data center has every one of them is not stated.
 *
 * @param dataCenter in any spelling, such as `DC-01`
 * @throws DataCenterError (`MOE_ERR_DATA_CENTER`) when it is unknown, or could mean more than one
 * @example
 * outboundHosts('DC-01') // ['api-01.moengage.com', 'pushapi-01.moengage.com', …]
 */
export function outboundHosts(dataCenter: DataCenterName): readonly string[] {
  const number = parseDataCenter(dataCenter).slice('DC-'.length)
  return HOSTS.map((name) => `${name}-${number}.moengage.com`)
}

/** Rules for squid: a file to include before the line that denies the rest. */
export function squidRules(dataCenters: readonly DataCenter[]): string {
  return [
    `# MoEngage's hosts that customers call, for ${dataCenters.join(', ')}. Written by moengage-allowlist.`,
    '# Include this file in squid.conf before "http_access deny all". Names, not addresses: MoEngage changes those.',
    ...dataCenters.flatMap(outboundHosts).map((host) => `acl moengage_hosts dstdomain ${host}`),
    'acl moengage_https port 443',
    'http_access allow CONNECT moengage_hosts moengage_https',
    ''
  ].join('\n')
}
