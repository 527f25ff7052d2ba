import t from 'tap'
import { explainRefusal } from '../../src/egress/refusal.js'

const DOCUMENTED = '{"error":"IP Validation Required","message":"IP Validation Failed. Please check your IP!!"}'

t.test('the body that is documented names its mechanism; nothing else does', async (t) => {
  const table: [what: string, body: string, mechanism: 'data-api' | null, summary: RegExp][] = [
    ['as documented', DOCUMENTED, 'data-api', /^The Data API whitelisting of the workspace refused the call/],
    ['formatted', JSON.stringify(JSON.parse(DOCUMENTED), null, 2), 'data-api', /refused the call/],
    ['with another message', '{"error":"IP Validation Required"}', 'data-api', /^This is probably/],
    [
      'with another error',
      '{"message":"IP Validation Failed. Please check your IP!!"}',
      'data-api',
      /^This is probably/
    ],
    ['a page', '<html><title>403 Forbidden</title></html>', null, /page of HTML/],
    ['another error', '{"error":"Authentication required"}', null, /documents no body like this/],
    ['text', 'Forbidden', null, /documents no body like this/],
    ['a text in JSON', '"IP Validation Required"', null, /documents no body like this/],
    ['null', 'null', null, /documents no body like this/]
  ]
  for (const [what, body, mechanism, summary] of table) {
    const found = explainRefusal(body)
    t.match(found, { mechanism, summary }, what)
    t.ok(found.shows.length > 0 && found.doesNotShow.length > 0, `${what}: and what it does not show`)
  }
})

t.test('that the API Firewall refused a call is never concluded from a body, which is not stated', async (t) => {
  t.match(explainRefusal('{"error":"Forbidden"}').doesNotShow, [/^That it was the API Firewall: .* not stated/])
})
