import { builtin } from '../../lib/builtin.js'
import { type ForwardProxy, proxyFor } from '../../lib/forward-proxy.js'
import {
  hasProperty,
  Option,
  type OptionRule,
  type OptionTable,
  type OptionValues,
  propertyOf
} from '../../lib/option.js'
import { OptionReader, type OwnFields } from '../../lib/option-reader.js'
import { callback, duration, flag, number } from '../../lib/option-rules.js'
import { AWAIT_FIX, isUnwantedPromise } from '../../lib/promise.js'
import { editDistance, literal, nearest, quoted, shown } from '../../lib/text.js'
import { DAY, HOUR, LONGEST_TIMER, SECOND } from '../../lib/time.js'
import { WatchedFile } from './file.js'
import { MAX_CHANGED_CELLS, PageReader } from './page.js'
import { signedTextOf, snapshotOf } from './returned.js'
import { SignedListReader, VERIFY, type Verify } from './signed.js'
import { BUNDLED, JSON_READER, type OpenSource, type Reader, readBy, type Source } from './source.js'
import { PolledUrl } from './url.js'

const FILE_EXAMPLE = `'./moengage.json'`
const URL_EXAMPLE = `'https://example.com/moengage.json'`
const PAGE_EXAMPLE = `'https://example.com/ip-whitelisting-in-moengage.mdx'`

const timeout = (fallback: number, example: string) =>
  duration({ fallback, example, min: 1, max: LONGEST_TIMER, doubtful: 100 })
const interval = <Fallback extends number | undefined>(fallback: Fallback, example: string) =>
  duration({ fallback, example, min: SECOND, max: LONGEST_TIMER, doubtful: SECOND })

const TIMEOUT = timeout(5 * SECOND, `'5s'`)
/** A mebibyte: MoEngage's own list takes 12 KB. */
const MAX_BYTES = number({ fallback: 0x100000, of: 'bytes', min: 1, max: LONGEST_TIMER })

const FILE_OPTIONS = {
  file: { fallback: undefined, example: FILE_EXAMPLE, read: readPath },
  interval: duration({ fallback: 2 * SECOND, example: `'2s'`, min: 100, max: LONGEST_TIMER, doubtful: 100 }),
  maxBytes: MAX_BYTES,
  verify: VERIFY
} satisfies OptionTable

/** How a URL is polled. */
const POLLING = {
  maxBytes: MAX_BYTES,
  headers: { fallback: {}, example: `{ authorization: 'Bearer token' }`, isSecret: true, read: readHeaders },
  fetch: callback<typeof fetch>('(url, init) => fetch(url, init)'),
  allowHttp: flag(false)
} satisfies OptionTable

const URL_OPTIONS = {
  url: {
    fallback: undefined,
    example: URL_EXAMPLE,
    isSecret: true,
    read: (option) => readAddress(option, URL_EXAMPLE)
  },
  interval: interval(HOUR, `'1h'`),
  timeout: TIMEOUT,
  ...POLLING,
  verify: VERIFY
} satisfies OptionTable

const PAGE_OPTIONS = {
  page: { fallback: undefined, example: PAGE_EXAMPLE, isSecret: true, read: readPageAddress },
  interval: interval(DAY, `'1d'`),
  timeout: timeout(30 * SECOND, `'30s'`),
  ...POLLING
} satisfies OptionTable

const OWN_OPTIONS = {
  name: {
    fallback: '',
    example: `'our table'`,
    required: `Write name: 'our table', or another name for errors.`,
    read: readName
  },
  load: callback<Source['load']>('async (signal) => snapshot'),
  interval: interval(undefined, `'1h'`),
  timeout: TIMEOUT,
  verify: VERIFY,
  watch: callback<NonNullable<Source['watch']>>('(changed, signal) => subscribe(changed, { signal })')
} satisfies OptionTable

/** The kinds of a source, by the option that makes it one; each with its options, and with all that it needs. */
const KINDS = {
  file: { table: FILE_OPTIONS, needs: ['file'] },
  url: { table: URL_OPTIONS, needs: ['url'] },
  page: { table: PAGE_OPTIONS, needs: ['page'] },
  load: { table: OWN_OPTIONS, needs: ['name', 'load'] }
}
type Kind = keyof typeof KINDS

function kindsOf(source: object): Kind[] {
  // An object of a class may keep the URL that it loads from.
  if (isOfClass(source) && typeof propertyOf(source, 'load') === 'function') return ['load']
  return (Object.keys(KINDS) as Kind[]).filter((kind) => propertyOf(source, kind) !== undefined)
}

/** Whether an object is one of a class, and not a plain one of this realm or another, nor made from another object. */
function isOfClass(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value)
  return prototype !== null && Object.hasOwn(prototype, 'constructor') && Object.getPrototypeOf(prototype) !== null
}

/** From this length on, two edits are a slip of the keyboard. */
const LONG_NAME = 6

/**
 * The fields that an object of a class, such as one for a database, needs itself. What looks like an option that is not there is a mistake,
 * and so is what looks like `verify` or one of its keys: a list must not go unverified for a letter or a place.
 */
function fieldsOf(source: object): OwnFields | undefined {
  if (!isOfClass(source)) return undefined
  const isNear = (name: string) => (option: string) =>
    editDistance(name, option.toLowerCase()) <= (option.length < LONG_NAME ? 1 : 2)
  const missing = Object.keys(OWN_OPTIONS).filter((option) => propertyOf(source, option) === undefined)
  return {
    has(written) {
      // The field behind an accessor.
      const [, mark, name] = /^(_?)(.*)$/s.exec(written.toLowerCase())!
      if (name!.startsWith('verif') || isNear(name!)('publicKeys')) return false
      return mark === '_' || !missing.some(isNear(name!))
    },
    fixFor: (name) => `If it is a field of the class, give it another name, or make it private: #${name}.`
  }
}

/** The kind of a source that an option is shown with. */
function kindWith(name: string): Kind {
  if (Object.hasOwn(KINDS, name)) return name as Kind
  return Object.hasOwn(ADDRESS_OPTIONS, name) ? 'url' : 'load'
}

/** The options of a source that has an address; what else there is belongs to one of the user's own. */
const ADDRESS_OPTIONS = { ...PAGE_OPTIONS, ...URL_OPTIONS, ...FILE_OPTIONS }

/** The options of all kinds of sources. */
const SOURCE_OPTIONS = { ...OWN_OPTIONS, ...ADDRESS_OPTIONS }

/** The option `source`. */
export const SOURCE: OptionRule<OpenSource> = {
  fallback: BUNDLED,
  example: `{ file: ${FILE_EXAMPLE} }`,
  read: readSource,
  group: {
    table: SOURCE_OPTIONS,
    beside(name, given, isAtTop) {
      const [there] = typeof given === 'function' ? (['load'] as const) : kindsOf(Object(given))
      // A mistake in another group is no reason to load another list.
      if (there === undefined && !isAtTop) return undefined
      const kind = there ?? kindWith(name)
      if (!Object.hasOwn(KINDS[kind].table, name)) return undefined
      return KINDS[kind].needs.filter((other) => other !== name)
    }
  }
}

function readSource(option: Option): OpenSource | undefined {
  const { value } = option
  if (value === 'bundled') return BUNDLED
  if (typeof value === 'function') {
    const { name } = value
    const load = value as Source['load']
    return {
      name: name || 'loader',
      timeout: TIMEOUT.fallback,
      interval: undefined,
      load: (signal) => snapshotOf(load(signal))
    }
  }
  if (typeof value !== 'object' || value === null || value instanceof URL) {
    return option.refuse(`${value instanceof URL ? 'A URL' : shown(value)} is not a source.`, fixOf(option))
  }
  const kinds = kindsOf(value)
  const [kind] = kinds
  if (kinds.length > 1) {
    return option.refuse(`It names ${kinds.join(' and ')}: a list is loaded from one place.`, 'Keep one of them.')
  }
  if (kind === 'file') return openFile(option)
  if (kind === 'url') return openUrl(option)
  if (kind === 'page') return openPage(option, value)
  if (kind === 'load') return openOwn(option, value)
  const unset = (Object.keys(KINDS) as Kind[]).find((name) => hasProperty(value, name))
  if (unset !== undefined) {
    const place = new Option(`${option.path}.${unset}`, undefined, option.scope)
    const fix = `Write ${SOURCE_OPTIONS[unset].example}, or set the variable.`
    return place.refuse('It is undefined (is an environment variable missing?).', fix)
  }
  return option.refuse(`${shown(value)} is not a source.`, fixOf(option))
}

const OTHERS = `'bundled', { file }, { url }, { page }, a function that returns a snapshot, { name, load }`

/** What to write instead of something that is not a source: made from a text, where the result is accepted. */
function fixOf(option: Option): string {
  const given = valueIn(option.value)
  const text = given instanceof URL ? given.href : given
  if (typeof text === 'string') {
    if (nearest(text, ['bundled']) !== undefined) return `Write 'bundled'.`
    const isPage = /\.(?:mdx?|html?)$/.test(text)
    const kind = isFileUrl(text) || !/^\w\w+:\/\//.test(text) ? 'file' : isPage ? 'page' : 'url'
    const hasSecret = /[?#]/.test(text)
    const written = literal(text)
    const isAccepted = /[./]/.test(text) && option.attempt({ [kind]: text }, readSource).length === 0
    if (written !== undefined && isAccepted && !hasSecret)
      return `Write { ${kind}: ${written} }, or another source: ${OTHERS}.`
  }
  return `Write { file: ${FILE_EXAMPLE} }, or another source: ${OTHERS}.`
}

/** Other names for a file or a URL. */
const ALIASES = ['path', 'filename', 'fileName', 'filePath', 'uri', 'href']

/** The place that a value names; of an object, by a name that is not ours. */
function valueIn(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof URL) return value
  const alias = ALIASES.find((name) => hasProperty(value, name))
  return alias === undefined ? undefined : propertyOf(value, alias)
}

function openOwn(option: Option, source: object): OpenSource | undefined {
  const { name, load, interval, timeout, watch, verify } = OptionReader.inside(
    OWN_OPTIONS,
    option,
    SOURCE_OPTIONS,
    fieldsOf(source)
  ).readAll()
  if (load === undefined) return undefined
  const own: OpenSource = {
    name,
    timeout,
    interval,
    load: (signal) => {
      const answer = load.call(source as Source, signal)
      return verify === undefined ? snapshotOf(answer) : signedTextOf(answer)
    },
    ...(watch !== undefined && { watch: (changed, signal) => watch.call(source as Source, changed, signal) })
  }
  return verify === undefined ? own : readBy(own, new SignedListReader(verify))
}

/** What reads a text in JSON, or a signed one. */
const readerFor = (verify: Verify | undefined): Reader =>
  verify === undefined ? JSON_READER : new SignedListReader(verify)

function readName(option: Option): string | undefined {
  const { value } = option
  if (typeof value === 'string' && value !== '') return value
  return option.refuse(`${shown(value)} is not a name.`, `Write 'our table', or another name for errors.`)
}

function openFile(option: Option): OpenSource | undefined {
  const { file, interval, maxBytes, verify } = OptionReader.inside(FILE_OPTIONS, option, SOURCE_OPTIONS).readAll()
  return file === undefined ? undefined : readBy(new WatchedFile(file, interval, maxBytes), readerFor(verify))
}

const isFileUrl = (text: string) => /^file:\/\//i.test(text)

/** An absolute path: the directory of the process may change. */
function readPath(option: Option): string | undefined {
  const { value } = option
  const path = value instanceof URL || (typeof value === 'string' && isFileUrl(value)) ? pathOf(value) : value
  if (typeof path === 'string' && path !== '' && !/^\w\w+:\/\//.test(path)) return builtin('node:path').resolve(path)
  return option.refuse(`${shown(value)} is not a path.`, `Write ${FILE_EXAMPLE}, or another path.`)
}

/** The path of a `file:` URL; undefined where it has none on this machine. */
function pathOf(url: URL | string): string | undefined {
  try {
    return builtin('node:url').fileURLToPath(url)
  } catch {
    return undefined
  }
}

function openUrl(option: Option): OpenSource | undefined {
  const reader = OptionReader.inside(URL_OPTIONS, option, SOURCE_OPTIONS)
  const { url, verify, ...polling } = reader.readAll()
  const texts = url && poll(url, polling, reader.optionAt('url', url.href))
  return texts && readBy(texts, readerFor(verify))
}

function openPage(option: Option, source: object): OpenSource | undefined {
  if (propertyOf(source, 'verify') !== undefined) {
    const fix = 'Remove verify, or sign a list that was imported from the page, and load that with { url }.'
    return option.refuse('MoEngage does not sign its help page, so there is no signature to verify.', fix)
  }
  const reader = OptionReader.inside(PAGE_OPTIONS, option, SOURCE_OPTIONS)
  const { page, headers, ...polling } = reader.readAll()
  const place = reader.optionAt('page', page?.href)
  const texts = page && poll(page, { ...polling, headers: { accept: '*/*', ...headers } }, place)
  if (texts === undefined) return undefined
  // The clock may have been ahead when it dated the list before.
  const dating = { isDatedHere: true, isOrdered: true }
  return { ...readBy(texts, new PageReader(texts.name)), maxChangedCells: MAX_CHANGED_CELLS, ...dating }
}

type PollingOptions = OptionValues<typeof POLLING> & { readonly interval: number; readonly timeout: number }

function poll(url: URL, { fetch: ownFetch, allowHttp, ...options }: PollingOptions, place: Option): PolledUrl {
  if (url.protocol === 'http:' && !allowHttp && !isLoopback(url.hostname)) {
    const written = literal(`https://${url.host}${url.pathname}`)
    const instead = written === undefined || url.search !== '' ? 'Use https' : `Write ${written}`
    const message = 'Anybody on the way can change what is loaded over plain http, and so add an address.'
    refuseUrl(place, message, `${instead}, or set allowHttp: true where you trust the way.`)
  }
  const ask: typeof fetch = ownFetch ?? ((...request) => fetch(...request))
  const proxy = ownFetch === undefined ? findProxy(url, place) : undefined
  return new PolledUrl(url, { ...options, fetch: ask, proxy })
}

function findProxy(url: URL, option: Option): ForwardProxy | undefined {
  try {
    return proxyFor(url, globalThis.process?.env ?? {})
  } catch (error) {
    return refuseUrl(option, (error as Error).message, 'Or list the host in NO_PROXY, or pass a fetch of your own.')
  }
}

function readPageAddress(option: Option): URL | undefined {
  return readAddress(option, `${PAGE_EXAMPLE}, or the address of MoEngage's help page, which docs/sources.md has`)
}

/** @param instead what to write where the text has no address */
function readAddress(option: Option, instead: string): URL | undefined {
  const text = addressIn(option.value)
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    // Without a path it may be the name of a file: with many endings of files, the host is somebody's.
    const isHost = /^[\w-]+(\.[\w-]+)+(:\d+)?\//.test(text) && !/[?#@]/.test(text)
    const written = isHost ? literal(`https://${text}`) : undefined
    const message = `${shown(withoutSecretParts(text))} is not the URL of a web server.`
    return refuseUrl(option, message, `Write ${written ?? instead}.`)
  }
  if (url.username !== '' || url.password !== '') {
    const fix = `Remove them from the URL and pass headers: { authorization: 'Basic …' }.`
    return refuseUrl(option, 'It carries a user name or password.', fix)
  }
  return url
}

/** An object may have no text. */
const addressIn = (value: unknown) =>
  value instanceof URL ? value.href : typeof value === 'string' ? value : shown(value)

/** Refuses a URL, which is shown without what may be secret in it. */
function refuseUrl({ path, value, scope }: Option, message: string, fix: string): undefined {
  new Option(path, withoutSecretParts(addressIn(value)), scope).refuse(message, fix)
}

/** Also of a text that is not a URL: it may be meant as one. */
const withoutSecretParts = (text: string) => text.replace(/[?#].*/s, '?…').replace(/^(\w+:\/\/)?[^/]*@/, '$1…@')

const HEADERS_FIX = `Write { authorization: 'Bearer token' }.`

function readHeaders(option: Option): Readonly<Record<string, string>> | undefined {
  const { value } = option
  if (typeof value !== 'object' || value === null)
    return option.refuse('They are not an object of headers.', HEADERS_FIX)
  let headers: readonly (readonly [name: unknown, text: unknown])[]
  try {
    headers = headersIn(value)
  } catch {
    return option.refuse('They are neither an object of headers nor pairs of a name and a value.', HEADERS_FIX)
  }
  for (const [name, text] of headers) {
    const mistake = mistakeInHeader(name, text)
    if (mistake !== undefined) return option.refuse(mistake.message, mistake.fix)
  }
  return Object.fromEntries(new Headers(headers as [string, string][]))
}

/** Name and value of each header, as they were written: `Headers` makes a text of whatever it is given. */
function headersIn(value: object): [name: unknown, text: unknown][] {
  if (!(Symbol.iterator in value)) return Object.entries(value)
  return Array.from(value as Iterable<Iterable<unknown>>, (pair) => {
    const parts = typeof pair === 'string' ? [] : [...pair]
    if (parts.length !== 2) throw new TypeError('It is not a pair.')
    return parts as [unknown, unknown]
  })
}

/** What a template makes of a variable that is not set, or of something that is no text. */
const NO_TEXT = /(?:^|[\s=:])(?:undefined|null|NaN)$|\[object \w+\]/

/** What is wrong with a header. Its value may be a secret, and the error of Node quotes it. */
function mistakeInHeader(
  name: unknown,
  given: unknown
): { readonly message: string; readonly fix: string } | undefined {
  if (typeof name !== 'string' || !isHeader(name, '')) {
    return { message: 'A name of them is not allowed in HTTP.', fix: HEADERS_FIX }
  }
  const what = `The value of ${quoted(name)}`
  if (isUnwantedPromise(given)) return { message: `${what} is a promise.`, fix: AWAIT_FIX }
  const text = typeof given === 'number' ? String(given) : given
  if (text === undefined || text === null || (typeof text === 'string' && NO_TEXT.test(text.trim()))) {
    const fix = 'Set the variable, or leave the header out.'
    return { message: `${what} is missing, or a part of it (is an environment variable missing?).`, fix }
  }
  if (typeof text !== 'string') return { message: `${what} is not a text but ${typeof text}.`, fix: HEADERS_FIX }
  return isHeader(name, text) ? undefined : { message: `${what} is not allowed in HTTP.`, fix: HEADERS_FIX }
}

function isHeader(name: string, value: unknown): boolean {
  try {
    new Headers([[name, value as string]])
    return true
  } catch {
    return false
  }
}

/** Node writes the host of a URL in its canonical form. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host)
}
