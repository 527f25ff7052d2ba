// `config.repository` of package.json is the one line that names the repository. This writes what follows from it:
// `homepage`, `bugs` and `repository` of package.json, and the owner in .github/CODEOWNERS.
//   node scripts/name-repository.mjs          writes
//   node scripts/name-repository.mjs --check  only compares: the release job does
// Both fail while the line is the placeholder.
import { readFileSync, writeFileSync } from 'node:fs'

const MANIFEST = 'package.json'
const OWNERS = '.github/CODEOWNERS'

function fail(message) {
  console.error(`error: ${message}`)
  process.exit(1)
}

const before = { [MANIFEST]: readFileSync(MANIFEST, 'utf8'), [OWNERS]: readFileSync(OWNERS, 'utf8') }
const manifest = JSON.parse(before[MANIFEST])
const name = String(manifest.config?.repository)
const [, owner] = /^([\w-]+)\/[\w.-]+$/.exec(name) ?? []
if (owner === undefined)
  fail(`config.repository of ${MANIFEST} is "${name}". Write it as "owner/name", as GitHub spells it.`)
if (owner === 'OWNER')
  fail(`config.repository of ${MANIFEST} is the placeholder "${name}". Write the name of the repository on GitHub.`)

const url = `https://github.com/${name}`
const fields = {
  homepage: `${url}#readme`,
  bugs: { url: `${url}/issues` },
  repository: { type: 'git', url: `git+${url}.git` }
}
const named = Object.fromEntries(
  Object.entries({ ...manifest, ...fields }).flatMap(([key, value]) => {
    if (key in fields) return []
    return key === 'license' ? [...Object.entries(fields), [key, value]] : [[key, value]]
  })
)
const after = {
  [MANIFEST]: `${JSON.stringify(named, null, 2)}\n`,
  [OWNERS]: before[OWNERS].replace(/@[\w-]+/g, `@${owner}`)
}
for (const [file, text] of Object.entries(after)) {
  if (text === before[file]) continue
  if (process.argv.includes('--check')) fail(`${file} does not follow from config.repository. Run npm run repository.`)
  writeFileSync(file, text)
  console.log(`${file} names ${name}`)
}
