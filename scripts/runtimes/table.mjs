import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { ask } from './running.mjs'

const json = (file) => JSON.parse(readFileSync(file, 'utf8'))
const scenarios = json('test/fixtures/spoof-scenarios.json')
const { rows } = json('src/directory/moengage.json')

export const STRANGER = '198.51.100.7'
export const LISTED = rows.find(({ dataCenter, channel }) => dataCenter === 'DC-01' && channel === 'connector')
  .addresses[0]

const REJECTED = {
  statusCode: 403,
  code: 'MOE_ERR_REJECTED',
  error: 'Forbidden',
  message: 'The sender of this request could not be verified.'
}

/** The rows that every adapter is tested with, and what each must come to. */
export const ROWS = scenarios.map(({ id, peer, headers, config, client, must_be }) => {
  const { header, trusted: trustedProxies, allow, deny = [], requireHeader = false } = config
  const clientIp = { header, trustedProxies, requireHeader }
  const expected = { verified: must_be === 'accepted', clientIp: client, peer: peer || null }
  return { id, peer, headers, options: { dataCenters: 'DC-01', clientIp, allow, deny }, expected }
})

/** Lets a server judge the table, and compares. */
export async function checkTable(port, table = ROWS) {
  const sent = table.map(({ peer, headers, options }) => ({ peer, headers, options }))
  const { status, body } = await ask(port, '/table', { method: 'POST', body: JSON.stringify(sent) })
  assert.equal(status, 200)
  assert.equal(body.length, table.length)
  for (const [i, { id, expected }] of table.entries()) {
    const { verified, clientIp, peer } = body[i].verdict
    assert.deepEqual({ verified, clientIp, peer }, expected, id)
    assert.equal(body[i].status, verified ? 200 : 403, id)
    if (!verified) assert.deepEqual(body[i].body, REJECTED, id)
  }
  return table.length
}

/** Sends requests over a real socket of a server that trusts the loopback addresses. */
export async function checkSocket(port) {
  const table = [
    [LISTED, 200, LISTED],
    [`${STRANGER}, ${LISTED}`, 200, LISTED],
    [STRANGER, 403],
    [`${LISTED}, ${STRANGER}`, 403],
    [`${LISTED}, unknown`, 403],
    [undefined, 403]
  ]
  for (const [forwarded, status, clientIp] of table) {
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
    const answer = await ask(port, '/', { headers })
    assert.equal(answer.status, status, `${forwarded}`)
    if (status === 200) assert.equal(answer.body.verdict.clientIp, clientIp)
    else assert.deepEqual(answer.body, REJECTED)
  }
  return table.length
}
