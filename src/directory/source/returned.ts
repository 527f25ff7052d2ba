import { drop, isPromise, settled } from '../../lib/promise.js'
import { shown } from '../../lib/text.js'
import { Directory } from '../directory.js'
import { refuseSigned } from './source.js'

/** What a function of the user's has to return, with what to write for what it returned. */
interface Wanted {
  readonly what: string
  readonly nothing: string
  readonly response: string
  readonly bytes: string
  readonly other: string
}

const SNAPSHOT: Wanted = {
  what: 'a snapshot',
  nothing: 'return the snapshot',
  response: 'return await response.json()',
  bytes: 'return JSON.parse(new TextDecoder().decode(bytes))',
  other: 'return { provenance, rows }'
}

const SIGNED_TEXT: Wanted = {
  what: 'the text of a signed list',
  nothing: 'return the text',
  response: 'return await response.text()',
  bytes: 'return new TextDecoder().decode(bytes)',
  other: 'return the text that moengage-allowlist sign writes'
}

/**
 * What a function of the user's returned, or a promise for that.
 *
 * @throws (or rejects with) Error that says what was returned, where that cannot be a snapshot
 */
export function snapshotOf(returned: unknown): unknown {
  return checked(returned, (value) => {
    if (value instanceof Directory || memberOf(value, 'rows') !== undefined) return
    if (typeof value === 'string') {
      refuseSigned(value)
      refuse('a text', SNAPSHOT, 'return JSON.parse(text)')
    }
    refuseAs(value, SNAPSHOT)
  })
}

/**
 * The same where it has to be the text of a signed list.
 *
 * @throws (or rejects with) Error that says what was returned, where that is no text
 */
export function signedTextOf(returned: unknown): unknown {
  return checked(returned, (value) => {
    if (typeof value !== 'string') refuseAs(value, SIGNED_TEXT)
  })
}

function checked(returned: unknown, check: (value: unknown) => void): unknown {
  if (isPromise(returned)) return settled(returned).then((value) => checked(value, check))
  check(returned)
  return returned
}

const memberOf = (value: unknown, name: string): unknown => Object(value)[name]

function refuseAs(returned: unknown, wanted: Wanted): never {
  drop([returned])
  if (returned === undefined) refuse('nothing', wanted, wanted.nothing)
  if (typeof memberOf(returned, 'json') === 'function') refuse('a Response', wanted, wanted.response)
  if (returned instanceof Uint8Array || returned instanceof ArrayBuffer) refuse('bytes', wanted, wanted.bytes)
  if (memberOf(returned, 'default') !== undefined) refuse('a module', wanted, 'return its default export')
  if (typeof returned === 'function') refuse('a function', wanted, 'call it, and return what it returns')
  return refuse(shown(returned), wanted, wanted.other)
}

function refuse(what: string, wanted: Wanted, fix: string): never {
  throw new Error(`It returned ${what} instead of ${wanted.what}: ${fix}.`)
}
