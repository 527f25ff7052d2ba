import { DATA_CENTERS, type DataCenter, directory } from '../../src/core.js'

/** For each data center, an address that is published for its connector campaigns, or for what else it publishes. */
export const LISTED_IN = Object.fromEntries(
  DATA_CENTERS.map((name) => {
    const { prefix } = directory.entries.find(({ grant }) => grant.dataCenter === name)!
    return [name, String(prefix.address)]
  })
) as Record<DataCenter, string>

/** An address of DC-01, which is published for connector campaigns and Streams, but not for catalogs. */
export const LISTED = LISTED_IN['DC-01']

/** An address that is published for nobody: it is reserved for documentation. */
export const STRANGER = '198.51.100.7'

/** A public address that is published for nobody: MoEngage could send from there tomorrow. */
export const UNLISTED = '8.8.8.8'
