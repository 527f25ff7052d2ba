import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { updatePresets } from '../../scripts/update-presets.js'

const PRESETS = 'src/client-ip/presets'
const CLOUDFLARE = 'https://api.cloudflare.com/client/v4/ips'
const FASTLY = 'https://api.fastly.com/public-ip-list'
const GOOGLE = 'https://docs.cloud.google.com/load-balancing/docs/https'

const prefixesOf = (name: string): string[] => JSON.parse(readFileSync(`${PRESETS}/${name}.json`, 'utf8')).prefixes

/** What the providers answer, in their form. */
function answers({
  cloudflare = prefixesOf('cloudflare'),
  fastly = prefixesOf('fastly')
} = {}): Record<string, string> {
  const split = (prefixes: string[]) => [
    prefixes.filter((p) => !p.includes(':')),
    prefixes.filter((p) => p.includes(':'))
  ]
  const [ipv4_cidrs, ipv6_cidrs] = split(cloudflare)
  const [addresses, ipv6_addresses] = split(fastly)
  return {
    [CLOUDFLARE]: JSON.stringify({
      result: { ipv4_cidrs, ipv6_cidrs, etag: '38f7' },
      success: true,
      errors: [],
      messages: []
    }),
    [FASTLY]: JSON.stringify({ addresses, ipv6_addresses }),
    [GOOGLE]: `<li><code>35.191.0.0/16</code></li><li><code>130.211.0.0/22</code></li>
      <p>For IPv6 traffic to the backends: <code>2600:2d00:1:b029::/64</code> and <code>2600:2d00:1:1::/64</code>.</p>`
  }
}

/** Runs an update on copies of the presets. */
async function update(t: Test, texts: Record<string, string>, status = 200) {
  const folder = t.testdir({})
  cpSync(PRESETS, folder, { recursive: true })
  const read = () => readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'))
  const before = read()
  const fetch = async (url: string) => new Response(texts[url], { status })
  const outcome = await updatePresets({ folder, fetch, today: '2026-12-01' }).catch(({ message }: Error) => ({
    message
  }))
  const preset = (name: string) => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'))
  return { outcome, preset, isWritten: JSON.stringify(read()) !== JSON.stringify(before) }
}

t.test('nothing is written while the providers publish what the presets hold, in whatever order', async (t) => {
  const reversed = { cloudflare: prefixesOf('cloudflare').reverse(), fastly: prefixesOf('fastly').reverse() }
  for (const texts of [answers(), answers(reversed)]) {
    const { outcome, isWritten } = await update(t, texts)
    t.equal(outcome, '')
    t.notOk(isWritten)
  }
})

t.test('a preset that differs is written, and the changes are named', async (t) => {
  const [first, ...rest] = prefixesOf('fastly')
  const { outcome, preset } = await update(t, answers({ fastly: ['199.27.80.0/21', ...rest] }))
  t.equal(outcome, `### fastly\n\nAdded (1): \`199.27.80.0/21\`\n\nRemoved (1): \`${first}\`\n\n`)
  const { prefixes, retrieved, found, source } = preset('fastly')
  t.strictSame([prefixes.includes('199.27.80.0/21'), prefixes.includes(first)], [true, false])
  t.strictSame({ retrieved, found, source }, { retrieved: '2026-12-01', found: FASTLY, source: FASTLY })
  t.equal(preset('cloudflare').retrieved, JSON.parse(readFileSync(`${PRESETS}/cloudflare.json`, 'utf8')).retrieved)
})

t.test('an answer that cannot be right is an error, and no preset is written', async (t) => {
  const fastly = prefixesOf('fastly')
  const table: [what: string, texts: Record<string, string>, message: RegExp][] = [
    ['no JSON', { ...answers(), [CLOUDFLARE]: '<html>' }, /preset cloudflare cannot be compared: .*JSON/],
    ['a failure', { ...answers(), [CLOUDFLARE]: '{"success":false}' }, /no success/],
    ['another form', { ...answers(), [FASTLY]: '{"prefixes":[]}' }, /preset fastly/],
    ['a text that is no prefix', answers({ fastly: [...fastly, '1.2.3'] }), /preset fastly .*"1\.2\.3"/],
    ['a prefix with host bits', answers({ fastly: [...fastly, '198.51.100.7/24'] }), /198\.51\.100\.7\/24/],
    [
      'a single address without a length',
      answers({ fastly: [...fastly, '198.51.100.7'] }),
      /not written as 198\.51\.100\.7\/32/
    ],
    ['half of the internet', answers({ fastly: [...fastly, '0.0.0.0/1'] }), /too wide/],
    ['much of IPv6', answers({ fastly: [...fastly, '2000::/3'] }), /too wide/],
    ['a prefix twice', answers({ fastly: [...fastly, fastly[0]!] }), /twice/],
    ['most of it gone', answers({ fastly: fastly.slice(0, 5) }), /Only 5 of 21/],
    ['nothing', answers({ cloudflare: [] }), /Only 0 of 22/],
    [
      'a page that changed',
      { ...answers(), [GOOGLE]: '35.191.0.0/16, 2600:2d00:1:1::/641' },
      /no longer names 130\.211\.0\.0\/22, 2600:2d00:1:1::\/64/
    ]
  ]
  for (const [what, texts, message] of table) {
    const { outcome, isWritten } = await update(t, texts)
    t.match(outcome, { message }, what)
    t.notOk(isWritten, what)
  }
  t.match(await update(t, answers(), 503), { outcome: { message: /status 503/ }, isWritten: false })
})

t.test('an error in one preset keeps another from being written', async (t) => {
  const texts = answers({ cloudflare: [...prefixesOf('cloudflare'), '198.51.100.0/24'], fastly: [] })
  t.match(await update(t, texts), { outcome: { message: /fastly/ }, isWritten: false })
})
