import t from 'tap'
import { unresolvedHint, withoutSecret } from '../../src/verdict/hints.js'
import { isUnresolved, noCounts, REASONS, totalOf } from '../../src/verdict/verdict.js'

const WORDING = {
  header: 'forwarded',
  permissiveTrust: 'Fastify trusts everyone.',
  isRedacted: false
}

t.test('each way in which a client IP stays unknown has a sentence of its own', async (t) => {
  const table: [reason: Parameters<typeof unresolvedHint>[0]['reason'], sentence: RegExp][] = [
    ['no-peer', /^The connection has no address/],
    ['invalid-peer', /^"localhost" is not an IP address\. Pass the peer/],
    [
      'header-missing',
      /^A trusted proxy sent no forwarded, .*: it made the request itself, such as a health check .*, or the header was removed/
    ],
    ['invalid-entry', /^An entry of forwarded that decides is malformed/],
    ['hidden-client', /"_…" in forwarded\)/],
    ['several-addresses', /^forwarded holds one address/],
    ['too-many-hops', /^forwarded names more than 32/],
    ['too-many-headers', /^The request has as many header lines/],
    ['no-answer', /returned nothing/],
    ['invalid-answer', /is not an address \(does it carry a port\?\)/],
    ['promise-answer', /returned a promise/],
    ['failed-answer', /threw: out of order$/],
    ['not-asked', /was not called/],
    ['permissive-trust', /^Fastify trusts everyone\.$/]
  ]
  const hints = table.map(([reason, sentence]) => {
    const hint = unresolvedHint({ reason, detail: 'out of order' } as never, { peer: 'localhost' }, WORDING)
    t.match(hint, sentence, reason)
    return hint
  })
  t.equal(new Set(hints).size, table.length)
  const failure = { reason: 'failed-answer', detail: 'out of order' } as const
  t.match(
    unresolvedHint(failure, { peer: null }, { ...WORDING, isRedacted: true }),
    /threw an error\. Its message may hold an address/
  )
  const unnamed = unresolvedHint({ reason: 'too-many-hops' }, { peer: null }, { ...WORDING, header: null })
  t.match(unnamed, /^the forwarded header names more/)
})

t.test('what stands in place of an address is named only where it is why there is none', async (t) => {
  const noPeer = 'The function got no address.'
  t.equal(unresolvedHint({ reason: 'no-peer' }, { peer: null, noPeer }, WORDING), noPeer)
  t.match(
    unresolvedHint({ reason: 'invalid-peer' }, { peer: 'test-invoke-source-ip' }, WORDING),
    /^The request was made by the test of API/
  )
  const failed = { reason: 'failed-answer', detail: 'out of order' } as const
  t.match(unresolvedHint(failed, { peer: 'test-invoke-source-ip' }, WORDING), /out of order/)
  // The peer is trusted, so what it sent was read.
  t.match(unresolvedHint({ reason: 'too-many-hops' }, { peer: 'unix' }, WORDING), /names more/)
})

t.test('a verified request without the secret is of another customer, or of a sender of your own list', async (t) => {
  t.match(withoutSecret('DC-03'), /^The address is MoEngage's, of DC-03, .*: another customer of MoEngage calls you,/)
  t.match(withoutSecret(null), /^The address is in your "allow" list, .*: its sender does not send it,/)
})

t.test('counts by reason add up', async (t) => {
  t.equal(totalOf(noCounts()), 0)
  t.equal(totalOf({ ...noCounts(), denied: 2, unresolved: 3 }), 5)
})

t.test('two reasons say that there is no client IP that can be relied on', async (t) => {
  t.strictSame(
    REASONS.filter((reason) => isUnresolved(reason)),
    ['unresolved', 'permissive-trust']
  )
})
