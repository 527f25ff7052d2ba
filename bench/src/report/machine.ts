import { readFileSync } from 'node:fs'
import { arch, cpus, platform, totalmem } from 'node:os'

/** Where and when a part was run, as one line. */
export function machineLine(): string {
  const [cpu] = cpus()
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`
  const date = new Date().toISOString().slice(0, 10)
  return (
    `Run on ${date}: Node ${process.version} (V8 ${process.versions.v8}), ${platform()} ${arch()}, ` +
    `${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}, ${memory}.`
  )
}

/** The versions of packages, as installed. */
export function versionsLine(names: readonly string[]): string {
  const versions = names.map((name) => {
    const manifest = new URL(`../../node_modules/${name}/package.json`, import.meta.url)
    return `${name} ${(JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version}`
  })
  return `Versions: ${versions.join(', ')}.`
}
