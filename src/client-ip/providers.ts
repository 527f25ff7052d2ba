import cloudflare from './presets/cloudflare.json' with { type: 'json' }
import fastly from './presets/fastly.json' with { type: 'json' }
import googleCloudLoadBalancing from './presets/google-cloud-load-balancing.json' with { type: 'json' }

/** A provider of proxies, with the prefixes from which they connect to origins. */
export interface Provider {
  readonly name: string
  readonly prefixes: readonly string[]
}

/** Providers that publish few such prefixes; each list is dated and names its source. */
export const PROVIDERS: readonly Provider[] = [cloudflare, fastly, googleCloudLoadBalancing]
