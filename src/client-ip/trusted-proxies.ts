import { Prefix, parsePrefix, readPrefix } from '../ip/prefix.js'
import { coverHalf, isForDocumentation } from '../ip/special.js'
import { lazily } from '../lib/lazily.js'
import type { Option } from '../lib/option.js'
import { refuseNoList } from '../lib/option-rules.js'
import { shown } from '../lib/text.js'
import { UNIX_PEER } from './incoming.js'
import cloudflare from './presets/cloudflare.json' with { type: 'json' }
import fastly from './presets/fastly.json' with { type: 'json' }
import googleCloudLoadBalancing from './presets/google-cloud-load-balancing.json' with { type: 'json' }

/** The header that is read where no other one is named. */
export const DEFAULT_HEADER = 'x-forwarded-for'

/** A provider of proxies, with the prefixes from which they connect to origins. */
export interface Provider {
  readonly name: string
  readonly prefixes: readonly string[]
}

/** Providers that publish few such prefixes; each list is dated and names its source. */
export const PROVIDERS: readonly Provider[] = [cloudflare, fastly, googleCloudLoadBalancing]

/** How a provider hands on the sender. */
interface SenderHeader {
  /** The header in which it writes the sender. */
  readonly header: string
  /** The page that says what makes it safe. */
  readonly recipe: string
  /** What else has to be trusted beside its name, as a sentence. */
  readonly beside?: string
}

const SENDER_HEADERS: Readonly<Record<string, SenderHeader>> = {
  cloudflare: { header: 'cf-connecting-ip', recipe: 'docs/recipes/cloudflare.md' },
  fastly: { header: 'fastly-client-ip', recipe: 'docs/recipes/fastly.md' },
  'google-cloud-load-balancing': {
    header: DEFAULT_HEADER,
    recipe: 'docs/recipes/google-cloud.md',
    beside: 'List the address of your balancer beside it, which appends itself, as docs/recipes/google-cloud.md shows.'
  }
}

/** The header in which a provider of {@link PROVIDERS} writes the sender. */
export const senderHeaderOf = (provider: string) => SENDER_HEADERS[provider]!

/** Whether a provider writes a header, as far as is known: every other reaches the server as the client sent it. All append to the list. */
export const writesHeader = (provider: string, header: string) =>
  header === DEFAULT_HEADER || header === senderHeaderOf(provider).header

/** Names for groups of proxies: `proxy-addr`'s, and those of the presets. */
const NAMED: ReadonlyMap<string, () => readonly Prefix[]> = new Map(
  [
    { name: 'loopback', prefixes: ['127.0.0.0/8', '::1/128'] },
    { name: 'linklocal', prefixes: ['169.254.0.0/16', 'fe80::/10'] },
    { name: 'uniquelocal', prefixes: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'] },
    ...PROVIDERS
  ].map(({ name, prefixes }) => [name, lazily(() => prefixes.map(parsePrefix))])
)

/** Whether a text is a name in a list of trusted proxies. */
export const isProxyName = (text: string) => text === UNIX_PEER || NAMED.has(text.toLowerCase())

/** Words by which people call what has no preset, and the recipe that says what to list. The first match counts. */
const RECIPES: readonly (readonly [words: RegExp, recipe: string])[] = [
  [/cloud-?front/, 'cloudfront'],
  [/aws|amazon|^[aen]lb$|load-?balancer/, 'aws-alb'],
  [/azure|front-?door|app(lication)?-?gateway/, 'azure'],
  [/google|gcp|gke|gclb/, 'google-cloud'],
  [/heroku/, 'heroku'],
  [/^fly/, 'fly'],
  [/^render/, 'render'],
  [/ingress|kubernetes|k8s|traefik|istio/, 'kubernetes-ingress'],
  [/nginx/, 'nginx'],
  [/haproxy/, 'haproxy'],
  [/caddy/, 'caddy'],
  [/envoy/, 'envoy']
]

/** A placeholder: a network that exists would be trusted where the advice is pasted. */
export const TRUSTED_PROXIES_EXAMPLE = `['192.0.2.0/24']`

/** What a list of trusted proxies stands for. */
export interface TrustedProxies {
  readonly prefixes: readonly Prefix[]
  /** Whether a unix socket's peer is trusted, which has no address. */
  readonly unix: boolean
  /** The names in the list, in lower case. */
  readonly names: ReadonlySet<string>
}

export const NO_TRUSTED_PROXIES: TrustedProxies = { prefixes: [], unix: false, names: new Set() }

/**
 * Reads a list of trusted proxies: addresses, prefixes and names. Refuses what would trust everyone, warns of what may
 * hold strangers.
 */
export function readTrustedProxies(option: Option): TrustedProxies | undefined {
  const { value } = option
  if (!Array.isArray(value)) return refuseOther(option)
  if (value.length === 0) {
    const message = 'The list is empty, so no header is ever read and the client is always the peer.'
    option.warn('MOE_WARN_TRUSTED_PROXIES', message, `Add your proxies, or write clientIp: 'request.ip'.`)
  }
  const names = new Set<string>()
  const prefixes = option.items(value).flatMap((item) => readProxy(item, names))
  if (coverHalf(prefixes)) {
    const message =
      'It trusts half of the internet or more, so any sender could choose its own address with one header.'
    option.refuse(message, 'List the addresses of your proxies only.', 'MOE_ERR_TRUSTS_EVERYONE')
  } else if (PRIVATE.every((network) => prefixes.some((prefix) => prefix.contains(network)))) {
    const message =
      'It covers all private networks: any machine in your network, pod or office can forge client addresses.'
    option.warn('MOE_WARN_TRUSTED_PROXIES', message, 'Trust the network of your proxies only.')
  }
  return { prefixes, unix: value.includes(UNIX_PEER), names }
}

/** Adds a name to `names`. */
function readProxy(item: Option, names: Set<string>): readonly Prefix[] {
  const { value } = item
  if (value === UNIX_PEER) return []
  const name = typeof value === 'string' ? value.toLowerCase() : ''
  const named = NAMED.get(name)
  if (named !== undefined) {
    names.add(name)
    return named()
  }
  const prefix = readPrefix(value)
  if (prefix instanceof Prefix) {
    warnOfStrangers(item, prefix)
    return [prefix]
  }
  if (NAME.test(name)) item.refuse(`${shown(value)} is not a name of proxies.`, fixOf(name), 'MOE_ERR_PREFIX')
  else item.refuse(prefix.message, prefix.fix, 'MOE_ERR_PREFIX')
  return []
}

/** What may be meant as a name; for the words that are left out there is better advice. */
const NAME = /^(?!(?:any|all|localhost)$)[a-z][a-z0-9 _-]*$/

/** No name is guessed: one that looks alike may be another provider's, whose customers would then be trusted. */
function fixOf(name: string): string {
  const recipe = RECIPES.find(([words]) => words.test(name.replaceAll(/[ _]/g, '-')))?.[1]
  if (recipe !== undefined) return `docs/recipes/${recipe}.md says which addresses to list instead.`
  const names = [...NAMED.keys(), UNIX_PEER].map((known) => `"${known}"`).join(', ')
  return `List addresses and prefixes (docs/recipes has a page for each provider); the names are ${names}.`
}

function refuseOther(option: Option): undefined {
  const { value } = option
  const fix = `Write ${TRUSTED_PROXIES_EXAMPLE}, a list with the addresses of your proxies.`
  if (value === true) {
    const message = 'true trusts every peer, so any sender could choose its own address.'
    return option.refuse(message, fix, 'MOE_ERR_TRUSTS_EVERYONE')
  }
  if (typeof value === 'function') {
    const message = 'A function may trust strangers, which cannot be checked at start-up.'
    return option.refuse(message, fix, 'MOE_ERR_TRUSTS_EVERYONE')
  }
  if (typeof value === 'number') {
    const message = `${shown(value)} is a hop count; it cannot distinguish your proxy from a stranger who connects directly.`
    return option.refuse(message, fix)
  }
  return refuseNoList(option, readTrustedProxies, 'addresses, prefixes and names', TRUSTED_PROXIES_EXAMPLE)
}

const CARRIER_NAT = parsePrefix('100.64.0.0/10')

function warnOfStrangers(item: Option, prefix: Prefix): void {
  if (isForDocumentation(prefix)) {
    const message = `${prefix} is for documentation; no proxy connects from it.`
    item.warn('MOE_WARN_TRUSTED_PROXIES', message, 'Replace it with the addresses of your proxies.')
  }
  if (prefix.length >= 32 || !prefix.overlaps(CARRIER_NAT)) return
  const message = `${prefix} is carrier-grade NAT space, also used by Tailscale: strangers may share it.`
  item.warn('MOE_WARN_TRUSTED_PROXIES', message, 'Trust the single addresses of your proxies.')
}

const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].map(parsePrefix)
