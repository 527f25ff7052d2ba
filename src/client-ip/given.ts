import { hasProperty } from '../lib/option.js'
import { isPromise } from '../lib/promise.js'
import { refusal } from '../lib/refusal.js'
import { type Incoming, NodeIncoming, type NodeRequest, partOf } from './incoming.js'

/** What is read of a request that a user passes to `judge`. */
type GivenRequest = Pick<Incoming, 'peer' | 'headers' | 'earlier'>

const REQUEST_FIX =
  'Pass a request of node:http, or { peer: request.socket.remoteAddress, headers: request.rawHeaders }; of a connection, { peer, headers: {} }.'

/**
 * Reads what a user passes in the place of a framework's request: peer and headers, or a request of Node's own servers, which is taken for
 * its socket.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`) where it is neither
 */
export function givenIncoming(given: unknown): Incoming {
  if (typeof given !== 'object' || given === null) throw refusal('request', given, 'is not a request', REQUEST_FIX)
  const incoming = incomingOf(given)
  checkIncoming(incoming.peer, incoming.headers)
  return incoming
}

function incomingOf(given: object): Incoming {
  const incoming = partOf(given as GivenRequest, ['peer', 'headers', 'earlier'])
  if (typeof incoming.peer === 'string' || hasProperty(given, 'peer')) return incoming
  if (isNodeRequest(given)) return new NodeIncoming(given, undefined)
  throw refusal('request', given, 'has neither a peer nor a socket', REQUEST_FIX)
}

/**
 * Checks peer and headers as a user passes them.
 *
 * @throws OptionsError (`MOE_ERR_OPTIONS`) where they cannot be read
 */
export function checkIncoming(peer: unknown, headers: unknown): void {
  if (typeof peer !== 'string' && peer !== undefined && peer !== null) {
    throw refusal('peer', peer, 'is not an address as a text', 'Pass request.socket.remoteAddress.')
  }
  if (!areHeaders(headers)) {
    const fix = 'Pass request.rawHeaders or request.headers; of a connection without headers, {}.'
    throw refusal('headers', headers, 'are not headers', fix)
  }
}

/** Whether something is a request of Node's own servers, or of a framework that extends them. */
export function isNodeRequest(given: unknown): given is NodeRequest {
  return typeof given === 'object' && given !== null && hasProperty(given, 'socket')
}

/** A list of pairs, as other libraries have it, would be read as if there was nothing in it. */
function areHeaders(headers: unknown): boolean {
  if (typeof headers !== 'object' || headers === null || isPromise(headers)) return false
  return !Array.isArray(headers) || headers.length === 0 || typeof headers[0] === 'string'
}
