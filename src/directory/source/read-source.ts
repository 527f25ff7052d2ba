import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ForwardProxy, proxyFor } from '../../lib/forward-proxy.js'
import { checkNames, mistake, type Report, shown } from '../../lib/option-reader.js'
import { SnapshotFile } from './file.js'
import { BUNDLED, type FileSource, type OpenSource, type Source, type UrlSource } from './source.js'
import { SnapshotUrl } from './url.js'

const KINDS = {
  file: ['interval', 'maxBytes'],
  url: ['interval', 'timeout', 'maxBytes', 'headers', 'fetch', 'allowHttp']
}
const OWN = ['name', 'load', 'interval', 'timeout']
const HOW =
  `Write 'bundled', { file: 'moengage.json' }, { url: 'https://…' }, a function that gives a snapshot, or ` +
  '{ name, load }.'

const TIMEOUT = 5_000
/** A mebibyte: MoEngage's own list takes 12 KB. */
const MAX_BYTES = 0x100000
/** What a timer of Node can wait. */
const LONGEST = 2 ** 31 - 1

/** Reads the option `source`. What is wrong is reported; what is given back can be used only where nothing is. */
export function readSource(value: unknown, refuse: Report): OpenSource {
  if (value === undefined || value === 'bundled') return BUNDLED
  if (typeof value === 'function')
    return readOwn({ name: value.name || 'loader', load: value as Source['load'] }, refuse)
  if (typeof value === 'object' && value !== null) {
    const kinds = ['file', 'url', 'load'].filter((name) => (value as Record<string, unknown>)[name] !== undefined)
    // What else it holds may be secret.
    const names = Object.keys(value)
    if (kinds.length > 1) {
      refuse(
        mistake('source', names, `It names ${kinds.join(' and ')}: a list comes from one place.`, 'Keep one of them.')
      )
      return BUNDLED
    }
    if (kinds.length === 0) {
      refuse(mistake('source', names, `An object with ${shown(names)} is no source.`, HOW))
      return BUNDLED
    }
    if (kinds[0] === 'file') return readFile(value as FileSource, refuse)
    if (kinds[0] === 'url') return readUrl(value as UrlSource, refuse)
    return readOwn(value as Source, refuse)
  }
  refuse(mistake('source', value, `${shown(value)} is no source.`, HOW))
  return BUNDLED
}

function readOwn(source: Source, refuse: Report): OpenSource {
  checkNames(source, OWN, 'source', refuse)
  const { name, load, timeout = TIMEOUT, interval } = source
  if (typeof name !== 'string' || name === '') {
    refuse(
      mistake('source.name', name, `${shown(name)} is no name.`, 'Say in a word or two where the list comes from.')
    )
  }
  if (typeof load !== 'function') {
    refuse(mistake('source.load', load, `${shown(load)} is not a function.`, 'Write load: async () => snapshot.'))
  }
  checkNumber('timeout', timeout, 'milliseconds', [1, LONGEST], refuse)
  if (interval !== undefined) checkNumber('interval', interval, 'milliseconds', [1_000, LONGEST], refuse)
  return { name, timeout, interval, load: (signal) => load.call(source, signal) }
}

function readFile(source: FileSource, refuse: Report): OpenSource {
  checkNames(source, ['file', ...KINDS.file], 'source', refuse)
  const { file, interval = 2_000, maxBytes = MAX_BYTES } = source
  checkNumber('interval', interval, 'milliseconds', [100, LONGEST], refuse)
  checkNumber('maxBytes', maxBytes, 'bytes', [1, LONGEST], refuse)
  const path = pathOf(file)
  if (path === undefined) {
    refuse(mistake('source.file', file, `${shown(file)} is no path.`, `Write it like './moengage.json'.`))
    return BUNDLED
  }
  // The directory of the process may change.
  return new SnapshotFile(resolve(path), interval, maxBytes)
}

function pathOf(file: unknown): string | undefined {
  if (file instanceof URL) return file.protocol === 'file:' ? fileURLToPath(file) : undefined
  return typeof file === 'string' && file !== '' && !/^\w\w+:\/\//.test(file) ? file : undefined
}

function readUrl(source: UrlSource, refuse: Report): OpenSource {
  checkNames(source, ['url', ...KINDS.url], 'source', refuse)
  const { interval = 3_600_000, timeout = TIMEOUT, maxBytes = MAX_BYTES, headers = {}, allowHttp = false } = source
  checkNumber('interval', interval, 'milliseconds', [1_000, LONGEST], refuse)
  checkNumber('timeout', timeout, 'milliseconds', [1, LONGEST], refuse)
  checkNumber('maxBytes', maxBytes, 'bytes', [1, LONGEST], refuse)
  if (typeof allowHttp !== 'boolean') {
    refuse(mistake('source.allowHttp', allowHttp, `${shown(allowHttp)} is not true or false.`, 'Write true or false.'))
  }
  if (source.fetch !== undefined && typeof source.fetch !== 'function') {
    refuse(
      mistake(
        'source.fetch',
        source.fetch,
        `${shown(source.fetch)} is not a function.`,
        'Leave it out, or pass a fetch.'
      )
    )
  }
  try {
    new Headers(headers)
  } catch (error) {
    // Their values may be secrets.
    const fix = `Write them like { authorization: 'Bearer …' }.`
    refuse(
      mistake('source.headers', Object.keys(headers ?? {}), `They cannot be sent: ${(error as Error).message}`, fix)
    )
  }
  const url = urlOf(source.url, allowHttp, refuse)
  if (url === undefined) return BUNDLED
  const ask: typeof fetch = source.fetch ?? ((...request) => fetch(...request))
  const proxy = source.fetch === undefined ? readProxy(url, refuse) : undefined
  return new SnapshotUrl(url, { interval, timeout, maxBytes, headers: { ...headers }, fetch: ask, proxy })
}

function readProxy(url: URL, refuse: Report): ForwardProxy | undefined {
  try {
    return proxyFor(url, process.env)
  } catch (error) {
    const fix = 'Or list the host in NO_PROXY, or pass a fetch of your own.'
    refuse(mistake('source.url', `${url.origin}${url.pathname}`, (error as Error).message, fix))
    return undefined
  }
}

function urlOf(value: unknown, allowHttp: boolean, refuse: Report): URL | undefined {
  const url = URL.canParse(String(value)) ? new URL(String(value)) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    refuse(
      mistake(
        'source.url',
        value,
        `${shown(value)} is no URL of a web server.`,
        `Write it like 'https://example.com/moengage.json'.`
      )
    )
    return undefined
  }
  if (url.username !== '' || url.password !== '') {
    const fix = `Take them out of the URL and pass headers: { authorization: 'Basic …' }.`
    refuse(mistake('source.url', `${url.origin}${url.pathname}`, 'It carries a name or password.', fix))
  }
  if (url.protocol === 'http:' && !allowHttp && !isLoopback(url.hostname)) {
    const message = 'Everybody on the way can change what comes over plain http, and so let themselves in.'
    refuse(mistake('source.url', url.origin, message, 'Use https, or set allowHttp: true where you trust the way.'))
  }
  return url
}

/** Node writes the host of a URL in its canonical form. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host)
}

function checkNumber(
  name: string,
  value: unknown,
  unit: string,
  [least, most]: [number, number],
  refuse: Report
): void {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return
  const fix = `Write a whole number from ${least} to ${most}.`
  refuse(mistake(`source.${name}`, value, `${shown(value)} is not a number of ${unit} that can be used.`, fix))
}
