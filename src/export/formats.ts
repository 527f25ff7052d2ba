import { awsFormats } from './aws.js'
import { cloudFormats } from './clouds.js'
import type { Format } from './format.js'
import { hostFormats } from './hosts.js'
import { plainFormats } from './plain.js'
import { proxyFormats } from './proxies.js'
import { serviceFormats } from './services.js'

const all = {
  ...proxyFormats,
  ...hostFormats,
  ...awsFormats,
  ...cloudFormats,
  ...serviceFormats,
  ...plainFormats
} as const

/** The name of a format that the directory can be exported in. */
export type ExportFormat = keyof typeof all

/** Every format by its name. */
export const FORMATS: Readonly<Record<ExportFormat, Format>> = all

/** The names of all formats: for web servers, hosts, clouds, services, and plain files. */
export const EXPORT_FORMATS: readonly ExportFormat[] = Object.freeze(Object.keys(all) as ExportFormat[])
