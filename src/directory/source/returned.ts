import { drop, isPromise, settled } from '../../lib/promise.js'
import { shown } from '../../lib/text.js'
import { Directory } from '../directory.js'
import { refuseSigned } from './source.js'

/**
 * What a function of the user's returned, or a promise for that.
 *
 * @throws (or rejects with) Error that says what was returned, where that cannot be a snapshot
 */
export function snapshotOf(returned: unknown): unknown {
  return isPromise(returned) ? settled(returned).then(checked) : checked(returned)
}

function checked(returned: unknown): unknown {
  if (returned instanceof Directory) return returned
  const { rows, json, default: exported } = Object(returned) as Readonly<Record<string, unknown>>
  if (rows !== undefined) return returned
  drop([returned])
  if (returned === undefined) refuse('nothing', 'return the snapshot')
  if (typeof json === 'function') refuse('a Response', 'return await response.json()')
  if (typeof returned === 'string') {
    refuseSigned(returned)
    refuse('a text', 'return JSON.parse(text)')
  }
  if (returned instanceof Uint8Array || returned instanceof ArrayBuffer) {
    refuse('bytes', 'return JSON.parse(new TextDecoder().decode(bytes))')
  }
  if (exported !== undefined) refuse('a module', 'return its default export')
  if (typeof returned === 'function') refuse('a function', 'call it, and return what it returns')
  return refuse(shown(returned), 'return { provenance, rows }')
}

function refuse(what: string, fix: string): never {
  throw new Error(`It returned ${what} instead of a snapshot: ${fix}.`)
}
