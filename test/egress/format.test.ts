import fc from 'fast-check'
import t from 'tap'
import { type EgressFormat, type EgressFormatOptions, type EgressTarget, formatEgress } from '../../src/core.js'
import { runs } from '../support/properties.js'
import { FORMS, TICKET } from './forms.js'
import { readLocals } from './hcl.js'

const LIST = `# ours
9.9.9.9 # NAT a
9.9.8.5 - 9.9.8.7 # proxies
9.9.6.0 - 9.9.6.255
2620:fe::/48 # office
2620:fe:1::9
9.9.9.9 # NAT b
`
const write = (target: EgressTarget, format?: EgressFormat, list: string = LIST, more: object = {}) => {
  const isTicket = format === undefined || format === 'text' || format === 'json'
  const options = isTicket || target === 'api-firewall' ? TICKET[target] : {}
  return formatEgress(list, { ...options, target, format, ...more })
}

t.test('the API Firewall gets rules to type, in the order of the list, and the reminder', async (t) => {
  const text = write('api-firewall')
  t.match(
    text,
    /^API Firewall: Settings, Account, Security, API firewall\. Add these rules in this order\.\n\nRule 1 of 5\n/
  )
  t.ok(
    text.includes(`Rule 2 of 5
  Rule name:            proxies
  Whitelist Categories: Data, Campaigns
  Condition:            IPv4 Range
  Value:                9.9.8.5 - 9.9.8.7

Rule 3 of 5
`),
    text
  )
  t.match(text, /^- A rule is Unpublished after it is added, and again after every edit/m)
  t.match(text, /^- .* fails open/m)
  const { rules, notes } = JSON.parse(write('api-firewall', 'json'))
  const categories = ['Data', 'Campaigns']
  t.strictSame(rules, [
    { name: 'NAT a / NAT b', categories, condition: 'Single IPv4', value: '9.9.9.9' },
    { name: 'proxies', categories, condition: 'IPv4 Range', value: '9.9.8.5 - 9.9.8.7' },
    { name: '9.9.6.0/24', categories, condition: 'CIDR Range IPv4', value: '9.9.6.0/24' },
    { name: 'office', categories, condition: 'CIDR Range IPv6', value: '2620:fe::/48' },
    { name: '2620:fe:1::9', categories, condition: 'Single IPv6', value: '2620:fe:1::9' }
  ])
  for (const note of notes) t.ok(text.includes(`- ${note}\n`))
})

t.test('the dashboard gets a line a value, without ranges', async (t) => {
  t.equal(write('dashboard'), '9.9.9.9\n9.9.8.5\n9.9.8.6/31\n9.9.6.0/24\n2620:fe::/48\n2620:fe:1::9\n')
  t.match(JSON.parse(write('dashboard', 'json')), {
    target: 'dashboard',
    type: 'Allowed',
    entries: [{ value: '9.9.9.9' }, { value: '9.9.8.5', name: 'proxies (1 of 2)' }, { name: 'proxies (2 of 2)' }]
  })
})

t.test('support gets a ticket with subject, workspace and data center', async (t) => {
  t.equal(
    write('data-api', 'text', '9.9.9.9 # NAT a\n9.9.8.0/24'),
    `Subject: Whitelist IPs for Data APIs

Workspace ID (App ID): ABC123
Data center: DC-01

Please let these addresses access the Data APIs of this workspace:

9.9.9.9     NAT a
9.9.8.0/24
`
  )
  t.equal(
    write('open-analytics', 'text', '9.9.9.8/31 # VPN\n2620:fe::9'),
    `Subject: Whitelist IPs for Open Analytics Access

Workspace ID (App ID): ABC123
Data center: DC-01

Please let these addresses access Open Analytics:

9.9.9.8     VPN (1 of 2)
9.9.9.9     VPN (2 of 2)
2620:fe::9

For these users (e-mail ids):

ada@example.com
`
  )
  for (const target of ['data-api', 'open-analytics'] as const) {
    const list = '9.9.9.9'
    const { subject, body, entries } = JSON.parse(write(target, 'json', list))
    t.equal(`Subject: ${subject}\n\n${body}`, write(target, 'text', list))
    t.strictSame(entries, [{ value: '9.9.9.9', name: '9.9.9.9' }])
  }
})

t.test('what no page states is marked as not stated', async (t) => {
  for (const target of FORMS) {
    const { notes, page } = JSON.parse(write(target, 'json', '9.9.9.9'))
    t.ok(
      notes.some((note: string) => note.startsWith('Not stated on ')),
      target
    )
    t.ok(
      notes.some((note: string) => /does not show that the list is enforced/.test(note)),
      target
    )
    t.match(page, /^user-guide\/.*\.mdx$/)
  }
})

t.test('CSV has a header with the fields of the form', async (t) => {
  t.equal(
    write('api-firewall', 'csv', '9.9.9.9 # NAT "a", b\n9.9.8.0/24'),
    `name,categories,condition,value
"NAT ""a"", b","Data, Campaigns",Single IPv4,9.9.9.9
9.9.8.0/24,"Data, Campaigns",CIDR Range IPv4,9.9.8.0/24
`
  )
  for (const target of ['data-api', 'dashboard', 'open-analytics'] as const) {
    t.equal(write(target, 'csv', '9.9.9.9 # NAT a'), 'value,name\n9.9.9.9,NAT a\n', target)
  }
})

t.test('a name that a spreadsheet would run is refused in CSV, and nowhere else', async (t) => {
  for (const name of ['=cmd|x!A1', '+1', '-1', '@a']) {
    const list = `9.9.9.9 # ${name}`
    t.throws(() => write('dashboard', 'csv', list), { code: 'MOE_ERR_EGRESS', message: /formula/ }, name)
    t.match(JSON.parse(write('dashboard', 'json', list)).entries, [{ name }])
  }
})

t.test('Terraform gets a locals block', async (t) => {
  t.equal(
    write('api-firewall', 'terraform', '9.9.9.9 # NAT a'),
    `# API Firewall: written by moengage-allowlist egress export.
locals {
  moengage_api_firewall = [
    { name = "NAT a", categories = "Data, Campaigns", condition = "Single IPv4", value = "9.9.9.9" },
  ]
}
`
  )
  t.strictSame(readLocals(write('open-analytics', 'terraform', '9.9.9.8/31 # a')), {
    moengage_open_analytics: [
      { value: '9.9.9.8', name: 'a (1 of 2)' },
      { value: '9.9.9.9', name: 'a (2 of 2)' }
    ]
  })
})

t.test('any name is read back from Terraform, CSV and JSON as it was', async () => {
  const name = fc
    .array(fc.constantFrom('a', '"', '\\', '${', '%{', '$', '%', '{', '}', ',', '#', ' ', 'é', '💡', "'", '`', '//'), {
      minLength: 1,
      maxLength: 8
    })
    .map((parts) => `x${parts.join('')}`.trim())
  fc.assert(
    fc.property(name, (text) => {
      const list = [{ value: '9.9.9.9', name: text }]
      const { moengage_dashboard: locals } = readLocals(
        formatEgress(list, { target: 'dashboard', format: 'terraform' })
      )
      const csv = formatEgress(list, { target: 'dashboard', format: 'csv' })
      const [, field] = /^value,name\n9\.9\.9\.9,(.*)\n$/s.exec(csv)!
      const { entries } = JSON.parse(formatEgress(list, { target: 'dashboard', format: 'json' }))
      const fromCsv = field!.startsWith('"') ? field!.slice(1, -1).replaceAll('""', '"') : field
      return locals![0]!.name === text && fromCsv === text && entries[0].name === text
    }),
    runs(500)
  )
})

t.test('a list with a mistake is never written, and the error has every mistake', async (t) => {
  for (const target of FORMS) {
    t.throws(() => write(target, 'text', '9.9.9.9\n10.0.0.1\nx.example'), {
      code: 'MOE_ERR_EGRESS',
      mistakes: [
        { path: 'line 2', line: 2 },
        { path: 'line 3', line: 3 }
      ],
      message:
        /^Your list has 2 mistakes:\n {2}- line 2: .*\n {2}- line 3: .*\n Correct the list\. \(docs\/errors\.md#moe_err_egress\)$/
    } as never)
  }
  t.throws(() => write('dashboard', 'text', '10.0.0.1\n'.repeat(30)), { message: /\n {2}- and 10 more\n/ })
  t.throws(() => write('dashboard', 'text', ''), { message: /^Your list has a mistake:\n {2}- The list has no entry/ })
  t.throws(() => write('open-analytics', 'text', '9.9.8.0/23'), { code: 'MOE_ERR_EGRESS', message: /these are 512/ })
})

t.test('what a form needs must be there, and what it has no use for must not', async (t) => {
  const table: [options: object, paths: string[]][] = [
    [{}, ['target']],
    [{ target: 'api' }, ['target']],
    [{ target: 'dashboard', format: 'xml' }, ['format']],
    [{ target: 'dashboard', format: Object.create(null) }, ['format']],
    [{ target: 'dashboard', form: 'csv' }, ['form']],
    [{ target: 'api-firewall' }, ['categories']],
    [{ target: 'api-firewall', categories: [] }, ['categories']],
    [{ target: 'api-firewall', categories: 'Data' }, ['categories']],
    [{ target: 'api-firewall', categories: ['Data', 'data', 'Push'] }, ['categories[1]', 'categories[2]']],
    [{ target: 'api-firewall', categories: ['Data'], workspace: 'A', emails: ['a@b'] }, ['workspace', 'emails']],
    [{ target: 'api-firewall', format: 'csv' }, ['categories']],
    [{ target: 'dashboard', categories: ['Data'] }, ['categories']],
    [{ target: 'data-api' }, ['workspace', 'dataCenter']],
    [{ target: 'data-api', workspace: 'A B', dataCenter: 'US' }, ['workspace', 'dataCenter']],
    [{ target: 'data-api', workspace: 7, dataCenter: 7 }, ['workspace', 'dataCenter']],
    [{ target: 'data-api', workspace: 'A', dataCenter: 'DC-01', emails: ['a@b'] }, ['emails']],
    [{ target: 'data-api', format: 'csv', workspace: 'A' }, ['workspace']],
    [{ target: 'open-analytics', workspace: 'A', dataCenter: 'DC-01' }, ['emails']],
    [{ target: 'open-analytics', workspace: 'A', dataCenter: 'DC-01', emails: [] }, ['emails']],
    [
      { target: 'open-analytics', workspace: 'A', dataCenter: 'DC-01', emails: ['a@b', 'a b@c', 7, 'a'] },
      ['emails[1]', 'emails[2]', 'emails[3]']
    ],
    [{ target: 'open-analytics', format: 'terraform', dataCenter: 'DC-01' }, ['dataCenter']]
  ]
  for (const [options, paths] of table) {
    try {
      formatEgress('9.9.9.9', options as EgressFormatOptions)
      t.fail(JSON.stringify(options))
    } catch (error) {
      const { code, mistakes } = error as { code: string; mistakes: { path: string; fix: string }[] }
      t.strictSame([code, ...mistakes.map(({ path }) => path)], ['MOE_ERR_OPTIONS', ...paths], JSON.stringify(options))
      for (const { fix } of mistakes) t.match(fix, /[.?]$/)
    }
  }
  t.match(
    formatEgress('9.9.9.9', { target: 'data-api', workspace: 'A', dataCenter: 'dashboard-02.moengage.com' }),
    '\nData center: DC-02\n'
  )
})
