import type { KeyObject } from 'node:crypto'
import { SignatureError } from '../errors.js'
import { builtin } from '../lib/builtin.js'
import { parseStrictJson } from '../lib/json.js'
import { quoted, shown } from '../lib/text.js'

/** What a signed document is. One kind is never accepted in the place of another. */
export type DocumentKind = 'list' | 'override'

/** A document as it is signed: all of it is inside of the signature. */
export interface SignedDocument {
  readonly kind: DocumentKind
  /** Separates documents that are signed with the same key: `production` is never accepted as `staging`. */
  readonly name: string
  /** A whole number from 1 that grows: a document with a lower one is a replay. */
  readonly version: number
  /** The time from which the document is no longer accepted (ISO 8601, UTC). */
  readonly expires: string
  readonly payload: unknown
}

/** A document whose signature was verified. */
export interface VerifiedDocument extends SignedDocument {
  /** The same for the same content. */
  readonly digest: string
}

/** What a verified document has to match. */
export interface Expected {
  /** One signature by one of them suffices. */
  readonly publicKeys: readonly KeyObject[]
  readonly kind: DocumentKind
  /** Any name if it is undefined. */
  readonly name: string | undefined
  /** Milliseconds since 1970. */
  readonly now: number
}

/** A list of 20,000 values in base64 takes less. */
const MAX_LENGTH = 4_000_000
const ALGORITHM = 'EdDSA'
const MEMBERS = ['kind', 'name', 'version', 'expires', 'payload']

/**
 * Signs a document with Ed25519.
 *
 * @returns a JWS in compact form (RFC 7515): three parts in base64url, in one line
 * @throws (rejects with) SignatureError (`MOE_ERR_SIGNATURE`) if the document is not whole, or `jose` is not installed
 */
export async function signDocument(document: SignedDocument, privateKey: KeyObject): Promise<string> {
  const { CompactSign } = await loadJose()
  const { kind, name, version, expires, payload } = document
  const bytes = Buffer.from(JSON.stringify({ kind, name, version, expires, payload }))
  checkClaims(JSON.parse(bytes.toString()))
  return new CompactSign(bytes).setProtectedHeader({ alg: ALGORITHM, typ: typeOf(kind) }).sign(privateKey)
}

/**
 * Verifies a document: form, signature, kind, name and expiry. Whether it is newer than the last one says {@link refuseReplay}.
 *
 * @throws (rejects with) SignatureError (`MOE_ERR_SIGNATURE`)
 */
export async function verifyDocument(text: unknown, expected: Expected): Promise<VerifiedDocument> {
  if (typeof text !== 'string') refuse(`${shown(text)} is not the text of a signed document.`)
  const jws = text.trim()
  const [header, payload] = partsOf(jws)
  checkHeader(header, expected.kind)
  const { compactVerify } = await loadJose()
  const signatures = expected.publicKeys.map((key) => compactVerify(jws, key, { algorithms: [ALGORITHM] }))
  const outcomes = await Promise.allSettled(signatures)
  if (!outcomes.some(({ status }) => status === 'fulfilled')) {
    refuse('Its signature is by none of the public keys, or the document was altered after it was signed.')
  }
  const document = checkClaims(parsed(payload, 'content'))
  if (document.kind !== expected.kind) refuse(`It is of the kind "${document.kind}", not "${expected.kind}".`)
  if (expected.name !== undefined && document.name !== expected.name) {
    refuse(`Its name is ${quoted(document.name)}, not ${quoted(expected.name)}.`)
  }
  if (expected.now >= Date.parse(document.expires)) refuse(`It has expired on ${document.expires}.`)
  return { ...document, digest: digestOf(payload) }
}

/**
 * Reads what a document says of itself, without its signature: enough to refuse it, and never to believe it.
 *
 * @throws SignatureError (`MOE_ERR_SIGNATURE`)
 */
export function claimedDocument(text: string): VerifiedDocument {
  const [, payload] = partsOf(text.trim())
  return { ...checkClaims(parsed(payload, 'content')), digest: digestOf(payload) }
}

const digestOf = (payload: Buffer) => builtin('node:crypto').createHash('sha256').update(payload).digest('base64url')

/**
 * Refuses a document that is older than the one that was accepted last, or has another content under the same version.
 *
 * @throws SignatureError (`MOE_ERR_SIGNATURE`)
 */
export function refuseReplay(document: VerifiedDocument, last: VerifiedDocument | undefined): void {
  if (last === undefined) return
  if (document.name !== last.name) refuse(`Its name is ${quoted(document.name)}, not ${quoted(last.name)} as before.`)
  if (document.version < last.version)
    refuse(`It is version ${document.version}, older than ${last.version}, which was accepted before.`)
  if (document.version === last.version && document.digest !== last.digest) {
    refuse(`It is version ${document.version} again, with another content.`)
  }
}

const typeOf = (kind: DocumentKind) => `moengage-${kind}+jws`

/** The header and the payload, decoded. A part has one spelling: base64url without padding and without loose bits. */
function partsOf(jws: string): [header: Buffer, payload: Buffer] {
  if (jws.length > MAX_LENGTH) refuse(`It is longer than ${MAX_LENGTH} characters.`)
  const parts = jws.split('.', 4)
  const decoded = parts.map((part) => Buffer.from(part, 'base64url'))
  const isExact = decoded.every((bytes, i) => bytes.toString('base64url') === parts[i])
  if (parts.length !== 3 || !isExact || parts.includes('')) refuse('It is not signed: it has not the form of a JWS.')
  return [decoded[0]!, decoded[1]!]
}

/** The header is exactly the one that we write: no other algorithm, no critical extension, no key that came along. */
function checkHeader(bytes: Buffer, kind: DocumentKind): void {
  const header = parsed(bytes, 'header')
  const { alg, typ } = header
  if (alg !== ALGORITHM) refuse(`It is signed by the algorithm ${shown(alg)}, not ${ALGORITHM}.`)
  if (typ !== typeOf(kind)) refuse(`Its type is ${shown(typ)}, not '${typeOf(kind)}'.`)
  const other = Object.keys(header).find((name) => name !== 'alg' && name !== 'typ')
  if (other !== undefined) refuse(`Its header has ${quoted(other)}, which is not allowed.`)
}

function parsed(bytes: Buffer, what: string): Record<string, unknown> {
  let value: unknown
  try {
    value = parseStrictJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    refuse(`Its ${what} is not JSON in UTF-8 in which every name is unique.`)
  }
  if (typeof value !== 'object' || value === null) refuse(`Its ${what} is ${shown(value)}, not an object.`)
  return value as Record<string, unknown>
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z$/

/** Whether a value can be the name of a signed document. */
export const isDocumentName = (value: unknown): value is string =>
  typeof value === 'string' && /^\S.{0,99}$/.test(value)
export const NOT_A_NAME = 'not a text of 1 to 100 characters in one line, the first of them visible'

function checkClaims(claims: Record<string, unknown>): SignedDocument {
  const { kind, name, version, expires } = claims
  const names = Object.keys(claims)
  if (names.length !== MEMBERS.length || !MEMBERS.every((member) => names.includes(member))) {
    refuse(`It has the members ${shown(names)}, not ${MEMBERS.join(', ')}.`)
  }
  if (kind !== 'list' && kind !== 'override') refuse(`Its kind is ${shown(kind)}.`)
  if (!isDocumentName(name)) refuse(`Its name is ${shown(name)}, ${NOT_A_NAME}.`)
  if (!Number.isSafeInteger(version) || (version as number) < 1) {
    refuse(`Its version is ${shown(version)}, not a whole number from 1.`)
  }
  if (typeof expires !== 'string' || !TIME.test(expires) || Number.isNaN(Date.parse(expires))) {
    refuse(`It expires ${shown(expires)}, which is not a time in UTC (YYYY-MM-DDTHH:MM:SSZ).`)
  }
  return claims as unknown as SignedDocument
}

/** The advice about a document that is refused, where nobody knows more about it. */
export const SIGN_AGAIN = 'Sign the list again: moengage-allowlist sign.'

function refuse(message: string): never {
  throw new SignatureError({ value: undefined, message, fix: SIGN_AGAIN })
}

/** What is used of the package `jose`. With its own types, a strict project without it would not compile. */
interface Jose {
  compactVerify(jws: string, key: KeyObject, options: { algorithms: string[] }): Promise<unknown>
  CompactSign: new (
    payload: Uint8Array
  ) => {
    setProtectedHeader(header: { alg: string; typ: string }): { sign(key: KeyObject): Promise<string> }
  }
}

/**
 * Loads the package where something is signed or verified, and nowhere else.
 *
 * @param load what loads it; leave it out
 * @throws (rejects with) SignatureError (`MOE_ERR_SIGNATURE`) if it is not installed
 */
export async function loadJose(load?: () => Promise<Jose>): Promise<Jose> {
  try {
    // In the block, where bundlers do not insist on a package that is optional.
    if (load !== undefined) return await load()
    return await import('jose')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new SignatureError({
      value: 'jose',
      message: 'Signed documents need the package jose, which is not installed.',
      fix: 'Install it: npm install jose.'
    })
  }
}
