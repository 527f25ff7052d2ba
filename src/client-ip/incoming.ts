import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { OptionsError } from '../errors.js'
import { propertyOf } from '../lib/option.js'
import { fixFor } from '../lib/promise.js'
import { kindOf } from '../lib/text.js'

/** The peer of a request that came over a unix socket, which has no address. */
export const UNIX_PEER = 'unix'

/** What API Gateway writes in place of an address where somebody tests a method in its console. */
export const TEST_PEER = 'test-invoke-source-ip'

/** What the guard reads of a request: where it came from, and its headers. */
export interface Incoming {
  /**
   * The socket's remote address (`request.socket.remoteAddress`), or `'unix'` for a connection over a unix socket. Without
   * one the client IP is unresolved.
   */
  readonly peer: string | null | undefined
  /** `request.headers`, or `request.rawHeaders`. */
  readonly headers: HeadersInput
  /** What is said where there is no peer, if the server's door knows better than that the connection was closed. */
  readonly noPeer?: string | undefined
  /** The header whose last hop is the peer, since a load balancer wrote it there: it carries the header also where nobody forwards. */
  readonly peerHeader?: string | undefined
  /** The verdict that the same guard made and reported on the same request before: a request is counted and reported once. */
  readonly earlier?: EarlierVerdict | undefined
}

/** A verdict by which a request was counted, as far as it is read when the request is judged again. */
export type EarlierVerdict = { readonly carriesSecret: boolean | null } & (
  | { readonly verified: false }
  | {
      readonly verified: true
      readonly dataCenter: string | null
      readonly channels: readonly string[]
      readonly matched: string
    }
)

/** A request of Node's own servers. */
export type NodeRequest = IncomingMessage | Http2ServerRequest

/** What is read of the socket of a request. Requests that are made up have neither server nor parser, and some no socket. */
interface Connection {
  readonly remoteAddress?: string | undefined
  readonly server?: { readonly maxHeadersCount?: number | null; address(): unknown } | null
  readonly parser?: { readonly maxHeaderPairs?: unknown } | null
  /** What Node reads from: a `TCP`, a `Pipe` for a unix socket, null once it is closed. */
  readonly _handle?: object | null
}

/** Whether all objects were given a property that says where a request comes from. */
function isPolluted(): boolean {
  const all = Object.prototype as Partial<Record<string, unknown>>
  const ofRequest = all.peer ?? all.headers ?? all.earlier ?? all.socket ?? all.rawHeaders
  return (ofRequest ?? all.remoteAddress ?? all.server ?? all.parser ?? all._handle) !== undefined
}

/**
 * Properties of an object, or of its class, that somebody else made: what was added to all objects says nothing about a request.
 * Asked in this order, since looking for the owner of each property costs 20 ns a request.
 */
export function partOf<Part extends object>(object: Part, names: readonly (keyof Part & string)[]): Part {
  if (!isPolluted()) return object
  return Object.fromEntries(names.map((name) => [name, propertyOf(object, name)])) as Part
}

/** A request of Node's own servers, read once. */
export class NodeIncoming implements Incoming {
  readonly peer: string | null
  readonly headers: HeadersInput
  /** Whether Node may have dropped header lines. */
  readonly isTruncated: boolean

  readonly earlier: Incoming['earlier']

  constructor(request: Partial<NodeRequest>, earlier: Incoming['earlier']) {
    this.earlier = earlier
    const { socket, headers, rawHeaders } = partOf(request, ['socket', 'headers', 'rawHeaders'])
    const connection = partOf((socket ?? {}) as Connection, ['remoteAddress', 'server', 'parser', '_handle'])
    this.peer = connection.remoteAddress || (isUnix(connection) ? UNIX_PEER : null)
    this.headers = headers ?? {}
    this.isTruncated = (rawHeaders?.length ?? 0) >= keptHeaders(connection)
  }
}

/**
 * Whether a connection without an address came over a unix socket, and is not one of TCP that is closed: the server listens on a path,
 * or, where it got the socket as a file descriptor and so knows no path, the connection itself is a pipe.
 */
function isUnix({ server, _handle: handle }: Connection): boolean {
  return typeof server?.address() === 'string' || handle?.constructor.name === 'Pipe'
}

/**
 * From so many elements of `rawHeaders` on a request is not judged by its headers, whatever the server keeps: nobody but an
 * attacker sends a thousand lines.
 */
const MAX_RAW_HEADERS = 2000

/**
 * How many elements of `rawHeaders` Node keeps at most; it drops further lines without a word, and the last line is the one
 * that a proxy added. The server may have other limits by now than when the connection was opened, so the parser's own counts as
 * well.
 */
function keptHeaders({ server, parser }: Connection): number {
  let kept = MAX_RAW_HEADERS
  const configured = 2 * (server?.maxHeadersCount ?? 0)
  if (configured > 0 && configured < kept) kept = configured
  const parsed = parser?.maxHeaderPairs
  if (typeof parsed === 'number' && parsed > 0 && parsed < kept) kept = parsed
  return kept
}

/**
 * Whether a verdict is the first of its kind on its request: a request is counted, reported and logged once, however many guards or
 * hooks it passes. A rejection after a verified verdict is news.
 */
export function isNews(earlier: Incoming['earlier'], isVerified: boolean): boolean {
  return earlier === undefined || (earlier.verified && !isVerified)
}

/** The verdict by which a request is counted: a rejection stays, whatever is decided after it. */
export function countedBy<Given extends EarlierVerdict>(earlier: Given | undefined, verdict: Given): Given {
  return earlier?.verified === false ? earlier : verdict
}

/** Whether header lines may be missing, so that nothing in them can be relied on. */
export function mayLackHeaders(incoming: Incoming): boolean {
  const { headers } = incoming
  return (
    (incoming as Partial<NodeIncoming>).isTruncated === true ||
    (Array.isArray(headers) && headers.length >= MAX_RAW_HEADERS)
  )
}

/** The `Headers` of a Fetch `Request`, as far as they are read. */
export interface FetchHeaders {
  /** The lines of a header joined by commas, or null. */
  get(name: string): string | null
}

/**
 * Request headers: Node's object (`request.headers`), its flat list (`request.rawHeaders`) where the order of repeated
 * lines matters, or the `Headers` of a Fetch `Request`.
 */
export type HeadersInput = IncomingHttpHeaders | readonly string[] | FetchHeaders

/**
 * The lines of a header, in order, as one text; undefined when there is none. Node and Fetch have names in small letters; an object that
 * a user makes may have another spelling.
 */
export function headerText(headers: HeadersInput, name: string): string | undefined {
  if (Array.isArray(headers)) return rawHeaderText(headers, name)
  const value: unknown = (headers as IncomingHttpHeaders)[name]
  if (value !== undefined && value !== null && !isInherited(headers, name)) {
    if (typeof value === 'string') return value
    if (Array.isArray(value)) return joined(name, value)
    // `Headers` has methods, and a header may be named like one.
    if (typeof value !== 'function') throw noText(name, value)
  }
  const { get } = headers as FetchHeaders
  if (typeof get !== 'function') return otherSpelling(headers, name)
  const text: unknown = get.call(headers, name)
  if (typeof text === 'string') return text
  if (text === null || text === undefined) return undefined
  throw noText(name, text)
}

function joined(name: string, lines: readonly unknown[]): string {
  for (const line of lines) if (typeof line !== 'string') throw noText(name, line)
  return lines.join()
}

/** @returns the error for a header of a request that the user made, whose value is no text. The value is not shown: it may be a secret */
function noText(name: string, value: unknown): Error {
  const message = `${kindOf(value)} is not a text.`
  const fix = fixFor(value, 'Pass the lines of the header as one text, joined by commas.')
  return new OptionsError([
    { code: 'MOE_ERR_OPTION_VALUE', path: `headers.${name}`, value: kindOf(value), message, fix }
  ])
}

/** A header whose name is not in small letters. Of several spellings nobody knows which lines came last, so an empty one follows. */
function otherSpelling(headers: object, name: string): string | undefined {
  let text: string | undefined
  for (const key of Object.keys(headers)) {
    if (key.length !== name.length || key === name || key.toLowerCase() !== name) continue
    const lines = headerText(headers as HeadersInput, key)
    if (lines !== undefined) text = text === undefined ? lines : `${text},${lines},`
  }
  return text
}

/** Whether `Object.prototype` was polluted with a header. Asked in this order, since `hasOwn` alone costs 20 ns a request. */
function isInherited(headers: object, name: string): boolean {
  return (Object.prototype as unknown as Record<string, unknown>)[name] !== undefined && !Object.hasOwn(headers, name)
}

function rawHeaderText(headers: readonly string[], name: string): string | undefined {
  let text: string | undefined
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]!.length !== name.length || headers[i]!.toLowerCase() !== name) continue
    const line: unknown = headers[i + 1]
    if (typeof line !== 'string') throw noText(name, line)
    text = text === undefined ? line : `${text},${line}`
  }
  return text
}

/** Headers by which proxies hand on the client's address. */
export const FORWARDED_HEADERS: readonly string[] = [
  'x-forwarded-for',
  'forwarded',
  'x-real-ip',
  'cf-connecting-ip',
  'true-client-ip',
  'cloudfront-viewer-address',
  'fastly-client-ip',
  'fly-client-ip',
  'x-azure-clientip',
  'x-azure-socketip'
]

/**
 * Headers that may name a further sender: these, and those that no recipe reads, in which ingress-nginx keeps what came in, and edges and
 * platforms write the client.
 */
export const SENDER_HEADERS: readonly string[] = [
  ...FORWARDED_HEADERS,
  'x-original-forwarded-for',
  'x-vercel-forwarded-for',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-envoy-external-address',
  'x-nf-client-connection-ip',
  'x-source-ip',
  'x-sucuri-clientip',
  'do-connecting-ip',
  'incap-client-ip'
]

/** The headers among some that a request carries, but for blank ones; `own`, which is read, comes first. */
export function forwardedHeaders(
  headers: HeadersInput,
  own: string,
  known: readonly string[] = FORWARDED_HEADERS
): readonly string[] {
  const isKeyed = !Array.isArray(headers) && typeof (headers as FetchHeaders).get !== 'function'
  // Looking for other spellings of each name would cost ten times as much.
  const spelled = isKeyed ? spelledIn(headers, own, known) : [own, ...known]
  if (spelled.length === 0) return spelled
  const names = [...new Set([own, ...known])]
  return names.filter((name) => spelled.includes(name) && /\S/.test(headerText(headers, name) ?? ''))
}

/** The names of an object that are among some, in lower case. */
function spelledIn(headers: object, own: string, known: readonly string[]): readonly string[] {
  const found: string[] = []
  for (const key of Object.keys(headers)) {
    const name = key.toLowerCase()
    if (name === own || known.includes(name)) found.push(name)
  }
  return found
}
