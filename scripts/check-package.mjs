// Checks the tarball that npm would publish, with publint and "are the types wrong". Expects a build.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = mkdtempSync(join(tmpdir(), 'moengage-allowlist-'))
try {
  // Without scripts: a second build would take away the files that others read.
  const packed = execFileSync(`npm pack --json --ignore-scripts --pack-destination "${folder}"`, {
    shell: true,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const tarball = join(folder, JSON.parse(packed)[0].filename)
  for (const command of [`publint --strict "${tarball}"`, `attw "${tarball}" --profile esm-only`]) {
    const { status } = spawnSync(`npx --no -- ${command}`, { shell: true, stdio: 'inherit' })
    if (status !== 0) process.exitCode = 1
  }
} finally {
  rmSync(folder, { recursive: true })
}
