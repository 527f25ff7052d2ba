// Compares each preset of src/client-ip/presets with what its provider publishes, and writes those that differ.
//   npm run presets
// Prints the changes in Markdown. Exit codes: 0 nothing changed, 1 a preset changed, 2 an error: no preset is written then.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parsePrefix } from '../src/core.js'

interface Preset {
  readonly name: string
  readonly source: string
  readonly retrieved: string
  readonly found: string
  readonly prefixes: readonly string[]
}

interface Provider {
  /** Where programs read what people read at the preset's `source`. */
  readonly url: string
  /** Reads the prefixes from the answer. */
  readonly read: (text: string, preset: Preset) => readonly string[]
}

const PROVIDERS: Readonly<Record<string, Provider>> = {
  cloudflare: {
    url: 'https://api.cloudflare.com/client/v4/ips',
    read: (text) => {
      const { success, result } = JSON.parse(text)
      if (success !== true) throw new Error('The answer is no success.')
      return [...result.ipv4_cidrs, ...result.ipv6_cidrs]
    }
  },
  fastly: {
    url: 'https://api.fastly.com/public-ip-list',
    read: (text) => {
      const { addresses, ipv6_addresses } = JSON.parse(text)
      return [...addresses, ...ipv6_addresses]
    }
  },
  // A page for people, which also names prefixes of other balancers and of health checks: it can only confirm the preset.
  'google-cloud-load-balancing': {
    url: 'https://docs.cloud.google.com/load-balancing/docs/https',
    read: (text, { prefixes, source }) => {
      const words = new Set(text.split(/[^\w.:/]+/))
      const gone = prefixes.filter((prefix) => !words.has(prefix))
      if (gone.length > 0)
        throw new Error(`The page no longer names ${gone.join(', ')}. Read ${source} and edit the preset.`)
      return prefixes
    }
  }
}

/** A proxy's list names whole networks, but not a large part of the internet. */
const SHORTEST = { 4: 8, 6: 20 }

/** Refuses what can only be a mistake: whoever a preset names is believed about everybody else. */
function check(found: readonly string[], before: readonly string[]): void {
  for (const text of found) {
    const prefix = parsePrefix(text)
    if (prefix.toString() !== text) throw new Error(`${text} is not written as ${prefix}.`)
    if (prefix.length < SHORTEST[prefix.address.family]) throw new Error(`${text} is too wide for a list of proxies.`)
  }
  if (new Set(found).size < found.length) throw new Error('A prefix occurs twice.')
  const kept = before.filter((prefix) => found.includes(prefix))
  if (kept.length * 2 < before.length) {
    throw new Error(
      `Only ${kept.length} of ${before.length} prefixes are left. If that is right, edit the preset by hand.`
    )
  }
}

export interface Surroundings {
  /** The folder of the presets. */
  readonly folder: string
  readonly fetch: (url: string, options: { signal: AbortSignal }) => Promise<Response>
  /** The date, as `2026-11-23`. */
  readonly today: string
}

/** Writes the presets that differ. Returns the changes in Markdown: an empty text where nothing changed. */
export async function updatePresets({ folder, fetch, today }: Surroundings): Promise<string> {
  const changed = new Map<string, Preset>()
  let changes = ''
  for (const file of readdirSync(folder).sort()) {
    const preset: Preset = JSON.parse(readFileSync(join(folder, file), 'utf8'))
    const { name, prefixes: before } = preset
    try {
      const provider = PROVIDERS[name]
      if (provider === undefined)
        throw new Error('Nothing is known of this provider. Add it to scripts/update-presets.ts.')
      const response = await fetch(provider.url, { signal: AbortSignal.timeout(30_000) })
      if (response.status !== 200) throw new Error(`${provider.url} answers with status ${response.status}.`)
      const prefixes = provider.read(await response.text(), preset)
      check(prefixes, before)
      const added = prefixes.filter((prefix) => !before.includes(prefix))
      const removed = before.filter((prefix) => !prefixes.includes(prefix))
      if (added.length + removed.length === 0) continue
      changed.set(file, { ...preset, retrieved: today, found: provider.url, prefixes })
      changes += section(name, { Added: added, Removed: removed })
    } catch (cause) {
      throw new Error(`The preset ${name} cannot be compared: ${(cause as Error).message}`, { cause })
    }
  }
  for (const [file, preset] of changed) writeFileSync(join(folder, file), `${JSON.stringify(preset, null, 2)}\n`)
  return changes
}

function section(name: string, parts: Record<string, readonly string[]>): string {
  const paragraphs = Object.entries(parts)
    .filter(([, prefixes]) => prefixes.length > 0)
    .map(
      ([title, prefixes]) =>
        `${title} (${prefixes.length}): ${prefixes.map((prefix) => `\`${prefix}\``).join(', ')}\n\n`
    )
  return `### ${name}\n\n${paragraphs.join('')}`
}

if (import.meta.url === pathToFileURL(process.argv[1]!).href) {
  try {
    const today = new Date().toISOString().slice(0, 10)
    const changes = await updatePresets({ folder: 'src/client-ip/presets', fetch, today })
    process.stdout.write(changes)
    process.exitCode = changes === '' ? 0 : 1
  } catch (error) {
    console.error(`error: ${(error as Error).message}`)
    process.exitCode = 2
  }
}
