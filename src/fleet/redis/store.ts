import { withFullStop } from '../../lib/text.js'
import type { FleetStore, FoundReport, StoredChange, StoredReport, StoredState, StoreLimits } from '../store.js'
import { type Connection, dialBy, type RedisClient } from './connection.js'
import { Line } from './line.js'

/** How many changes the log keeps. */
const LOGGED = 50
/** How many reports are asked for at once. */
const GROUP = 100
/** How many replicas of the index a report looks at: those whose report has expired leave the index. */
const CHECKED = 10
/** The ids of replicas, UUIDs, for `MATCH`: whatever else stands in the index, however long, stays on the server. */
const IDS = [8, 4, 4, 4, 12].map((length) => '?'.repeat(length)).join('-')
/** How many members of the index are looked through at once. */
const SCANNED = 1000
/** Maximum number of members of the index. */
const MAX_MEMBERS = 100_000
/** The most bytes of a version. */
const VERSION_BYTES = 16
/** The most bytes of an entry of the log, which has at most 128,000 characters of a list. */
const ENTRY_BYTES = 400_000
/** What `PTTL` answers for a key that does not exist. */
const NO_KEY = -2
/** The first wait before a new subscription; each further one doubles it. */
const FIRST_WAIT = 100

/**
 * Compares the version and writes the change, in one step. A field that has no value is deleted. Nothing that was done is undone by the server
 * where a later command is refused: so the state is changed last, after all that the user may have no right to, and in one command. An error
 * names the command.
 */
const WRITE = `
local function attempt(...)
  local answer = redis.pcall(...)
  if type(answer) ~= 'table' or not answer.err then return nil, answer end
  return { err = answer.err .. ' (' .. (...) .. ')' }
end
local refusal, version = attempt('HGET', KEYS[1], 'version')
if refusal then return refusal end
if (version or '') ~= ARGV[1] then return 0 end
-- The first two change nothing. After a message alone, replicas look at a state that is the same.
for _, command in ipairs({
  { 'LTRIM', KEYS[2], 0, ${LOGGED - 1} },
  { 'HDEL', KEYS[1], '' },
  { 'PUBLISH', ARGV[6], ARGV[2] },
  { 'LPUSH', KEYS[2], ARGV[5] }
}) do
  refusal = attempt(unpack(command))
  if refusal then return refusal end
end
local values, unset = { 'version', ARGV[2] }, {}
for i, field in ipairs({ 'list', 'overrides' }) do
  local text = ARGV[2 + i]
  if text == '' then
    table.insert(unset, field)
  else
    table.insert(values, field)
    table.insert(values, text)
  end
end
refusal = attempt('HSET', KEYS[1], unpack(values))
if refusal then
  redis.call('LTRIM', KEYS[2], 1, -1)
  return refusal
end
if #unset > 0 then redis.call('HDEL', KEYS[1], unpack(unset)) end
redis.call('LTRIM', KEYS[2], 0, ${LOGGED - 1})
return 1`

/** Reads the log without what no publisher has written, however long it is. An error names the command. */
const READ_LOG = `
local entries = redis.pcall('LRANGE', KEYS[1], 0, ${LOGGED - 1})
if entries.err then return { err = entries.err .. ' (LRANGE)' } end
local found = {}
for _, entry in ipairs(entries) do
  if #entry <= ${ENTRY_BYTES} then table.insert(found, entry) end
end
return found`

/** The keys of a fleet, and the channel. */
interface Keys {
  readonly state: string
  readonly log: string
  readonly replicas: string
  readonly changed: string
}

/** Where the keys of a fleet stand. All of them share a hash tag, so that a cluster keeps them on one node. */
export interface RedisStoreOptions {
  readonly client: RedisClient
  readonly scope: string
  readonly name: string
  /** Milliseconds. */
  readonly timeout: number
  /** Milliseconds; a subscription that failed is tried again at least this often. */
  readonly poll: number
}

/** Redis or Valkey as the store of a fleet, by two connections of its own: one for commands, one for messages. */
export class RedisStore implements FleetStore {
  readonly name: string
  readonly #keys: Keys
  readonly #poll: number
  readonly #commands: Line
  readonly #messages: Line
  #changed: (() => void) | undefined

  constructor({ client, scope, name, timeout, poll }: RedisStoreOptions) {
    const tag = `{${scope}:${name}}`
    this.name = tag
    this.#keys = {
      state: `${tag}:state`,
      log: `${tag}:log`,
      replicas: `${tag}:replicas`,
      changed: `${tag}:changed`
    }
    this.#poll = poll
    const dial = dialBy(client, timeout)
    this.#commands = new Line(dial, timeout)
    this.#messages = new Line(dial, timeout, (connection) => this.#subscribe(connection))
  }

  /** Sends commands. Where the server refuses one, the error says what to do. */
  #use<Answer>(run: (send: Send) => Promise<Answer>): Promise<Answer> {
    return this.#commands.use(({ send }) => run((args) => send(args).catch((error) => advise(error, args, this.#keys))))
  }

  #subscribe(connection: Connection): Promise<unknown> {
    return connection.subscribe(this.#keys.changed, () => this.#changed?.())
  }

  async read(limits: StoreLimits): Promise<StoredState | null> {
    await this.#refuseLong({ version: VERSION_BYTES, ...limits })
    const command = ['HMGET', this.#keys.state, 'version', 'list', 'overrides']
    const found = (await this.#use((send) => send(command))) as (string | null)[]
    const [version, ...texts] = found
    if (version === null || version === undefined) {
      if (texts.every((text) => text === null)) return null
      throw new Error('It has no version.')
    }
    return { version: readVersion(version), list: texts[0]!, overrides: texts[1]! }
  }

  /** A value of any length may be there; to ask for the length costs nothing. */
  async #refuseLong(limits: Partial<Record<Field, number>>): Promise<void> {
    const { state } = this.#keys
    const fields = Object.entries(limits) as [Field, number][]
    const lengths = await this.#use((send) => Promise.all(fields.map(([field]) => send(['HSTRLEN', state, field]))))
    for (const [i, [field, most]] of fields.entries()) {
      const length = lengths[i] as number
      if (length > most) {
        throw new Error(`Its ${field} has ${length} bytes, more than ${most}. ${shortened(field, state)}`)
      }
    }
  }

  async poll(): Promise<number | null> {
    const [version] = await Promise.all([
      this.#readVersion(),
      // On a connection that is half open no message arrives, and nobody notices.
      this.#changed === undefined ? undefined : this.#checkMessages()
    ])
    return version === null ? null : readVersion(version)
  }

  async #readVersion(): Promise<string | null> {
    await this.#refuseLong({ version: VERSION_BYTES })
    const command = ['HGET', this.#keys.state, 'version']
    return (await this.#use((send) => send(command))) as string | null
  }

  /** An answer on the connection for messages proves that it is alive. On it, nothing but a subscription is answered. */
  async #checkMessages(): Promise<void> {
    const wasOpen = this.#messages.isOpen
    await this.#messages.use(async (connection) => {
      if (!wasOpen) return
      const channel = `${this.#keys.changed}:alive`
      await connection.subscribe(channel, () => {})
      await connection.unsubscribe(channel)
    })
    // A new subscription may have missed changes.
    if (!wasOpen) this.#changed?.()
  }

  async write({ expect, state: { version, list, overrides }, entry }: StoredChange): Promise<boolean> {
    const { state, log, changed } = this.#keys
    const values = [expect === null ? '' : `${expect}`, `${version}`, list ?? '', overrides ?? '', entry, changed]
    return (await this.#use((send) => send(['EVAL', WRITE, '2', state, log, ...values]))) === 1
  }

  async time(): Promise<number> {
    const [seconds, micros] = (await this.#use((send) => send(['TIME']))) as [string, string]
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
  }

  watch(changed: () => void, signal: AbortSignal): void {
    this.#changed = () => {
      if (!signal.aborted) changed()
    }
    void this.#keepWatching(signal)
  }

  /** Subscribes, and again soon after the connection has ended. */
  async #keepWatching(signal: AbortSignal): Promise<void> {
    let wait = FIRST_WAIT
    while (!signal.aborted) {
      try {
        if (!this.#messages.isOpen) {
          await this.#messages.use(async () => {})
          this.#changed?.()
        }
        wait = FIRST_WAIT
      } catch {
        // `poll` reports it.
        wait = Math.min(2 * wait, this.#poll)
      }
      await new Promise<void>((resolve) => {
        setTimeout(resolve, wait).unref()
      })
    }
  }

  /**
   * The index has the replicas in the order of their reports: each report gets a number above all that this replica has seen in the index. No
   * clock is in it: that of a replica may be wrong by days, and would sort out others, or itself.
   */
  async report({ id, text }: StoredReport, keepFor: number): Promise<void> {
    const { replicas } = this.#keys
    await this.#use(async (send) => {
      const { next, found } = await scan(send, replicas, this.#cursor, CHECKED).catch(nothingWhereDenied)
      this.#cursor = next
      this.#number = Math.max(this.#number, ...found.map(([, number]) => number)) + 1
      // A small index comes as a whole, whatever number of members is asked for.
      const oldest = found
        .sort(([, a], [, b]) => a - b)
        .slice(0, CHECKED)
        .map(([other]) => other)
      const [left] = await Promise.all([
        Promise.all(oldest.map((other) => send(['PTTL', `${replicas}:${other}`]))),
        send(['SET', `${replicas}:${id}`, text, 'PX', `${keepFor}`]),
        send(['ZADD', replicas, `${this.#number}`, id]),
        send(['PEXPIRE', replicas, `${keepFor}`])
      ])
      const expired = oldest.filter((other, i) => other !== id && left[i] === NO_KEY)
      if (expired.length === 0) return
      // In two steps, because replicas have no permission to remove a member by its name.
      await send(['ZADD', replicas, ...expired.flatMap((other) => ['-inf', other])])
      await send(['ZREMRANGEBYSCORE', replicas, '-inf', '-inf'])
    })
    this.#keepFor = keepFor
  }

  #keepFor = 86_400_000
  /** Where the next report looks on in the index. */
  #cursor = START
  /** The number of the last report. */
  #number = 0

  async *reports(limit: number, bytes: number): AsyncGenerator<readonly FoundReport[]> {
    const { replicas } = this.#keys
    const ids = await this.#newest(limit)
    for (let i = 0; i < ids.length; i += GROUP) {
      const group = ids.slice(i, i + GROUP)
      const found = await this.#use((send) =>
        Promise.all(
          group.flatMap((id) => [
            send(['GETRANGE', `${replicas}:${id}`, '0', `${bytes - 1}`]).catch(noTextWhereOfWrongType),
            send(['PTTL', `${replicas}:${id}`])
          ])
        )
      )
      yield group.flatMap((id, n) => {
        const [text, left] = [found[2 * n] as string, found[2 * n + 1] as number]
        return text === '' ? [] : [{ id, text, age: this.#keepFor - left }]
      })
    }
  }

  /** The ids of the replicas that reported last. A sorted set has no command that gives them in order, and no long member. */
  async #newest(limit: number): Promise<string[]> {
    const { replicas } = this.#keys
    const numbers = new Map<string, number>()
    let cursor = START
    for (let members = 0; members < MAX_MEMBERS; members += SCANNED) {
      const { next, found } = await this.#use((send) => scan(send, replicas, cursor, SCANNED))
      for (const [id, number] of found) numbers.set(id, number)
      if (next === START) {
        const newest = [...numbers].sort(([, a], [, b]) => b - a).slice(0, limit)
        return newest.map(([id]) => id)
      }
      cursor = next
    }
    throw new Error(`The index of replicas has more than ${MAX_MEMBERS} members. ${renewed(replicas)}`)
  }

  async log(): Promise<readonly string[]> {
    const { log } = this.#keys
    const read = async (send: Send) =>
      send(['EVAL', READ_LOG, '1', log]).catch((error) => {
        // A script needs a user that may write. One that may only read takes what there is.
        if (!/^NOPERM /.test(error.message)) throw error
        return send(['LRANGE', log, '0', `${LOGGED - 1}`])
      })
    return (await this.#use(read)) as string[]
  }

  close(): void {
    this.#commands.close()
    this.#messages.close()
  }
}

type Send = Connection['send']
type Field = 'version' | 'list' | 'overrides'

/** What to do about a field that is too long. */
function shortened(field: Field, key: string): string {
  switch (field) {
    case 'version':
      return `Set it, and publish the list again: redis-cli HSET '${key}' version 1.`
    case 'list':
      return `Remove it, and publish the list again: redis-cli HDEL '${key}' list.`
    case 'overrides':
      return `Remove it, and set the overrides again: redis-cli HDEL '${key}' overrides.`
  }
}

/** The cursor that a scan begins with, and that the server returns at its end. */
const START = '0'
interface Scanned {
  readonly next: string
  /** Replicas with the numbers of their reports. */
  readonly found: [id: string, number: number][]
}

/** One step through the index, from a cursor. */
async function scan(send: Send, key: string, cursor: string, count: number): Promise<Scanned> {
  const command = ['ZSCAN', key, cursor, 'MATCH', IDS, 'COUNT', `${count}`]
  const [next, texts] = (await send(command)) as [string, string[]]
  const found: Scanned['found'] = []
  // Somebody may have written an infinite number.
  for (let i = 0; i < texts.length; i += 2) found.push([texts[i]!, Number(texts[i + 1]) || 0])
  return { next, found }
}

const isDenied = ({ message }: Error) => /^NOPERM .*'zscan'/.test(message)
const isOfWrongType = ({ message }: Error) => message.startsWith('WRONGTYPE ')

/** What to do about an index that cannot be used. */
const renewed = (key: string) => `Delete it, and each replica writes itself into a new one: redis-cli DEL '${key}'.`

const withRight = (right: string) => `Add ${right} to the rule of this user in the ACL.`

/** What a user may do who runs a command that writes nothing. */
const READING = /^(?:HGET|HMGET|HSTRLEN|LRANGE|ZSCAN|GETRANGE|PTTL)$/

/** What to do about a command that the server refused. Of a script, which changed nothing then, the error names the command that was refused. */
function advise(error: Error, [sent, ...args]: readonly string[], keys: Keys): never {
  const { message } = error
  const [, inScript] = / \((\w+)\)$/.exec(message) ?? []
  const isChange = args[0] === WRITE
  const key = isChange || args[0] === READ_LOG ? args[2]! : args[0]!
  let fix: string | undefined
  if (isOfWrongType(error)) fix = replaced(inScript?.startsWith('L') ? keys.log : key, keys)
  else if (/NOPERM|user executing the script/.test(message)) {
    const [, denied = inScript] = /'(\w+)' command/.exec(message) ?? []
    const right = / channel\b/.test(message)
      ? `&${keys.changed}`
      : / keys?\b/.test(message)
        ? isChange
          ? `%RW~${keys.state} %RW~${keys.log}`
          : rightTo(key, READING.test(inScript ?? sent!), keys)
        : denied && `+${denied.toLowerCase()}`
    fix = right && withRight(right)
  }
  if (fix === undefined) throw error
  throw new Error(`${withFullStop(message)} ${isChange ? 'Nothing was changed. ' : ''}${fix}`)
}

/** The right to a key; the reports of replicas have keys of their own beside the index. */
const rightTo = (key: string, isRead: boolean, { replicas }: Keys) =>
  `%${isRead ? 'R' : 'RW'}~${key.startsWith(replicas) ? `${replicas}*` : key}`

/** What to do about something else in the place of a key. */
function replaced(key: string, { state, log, replicas }: Keys): string | undefined {
  switch (key) {
    case state:
      return `Delete it, and publish the list again: redis-cli DEL '${state}'.`
    case log:
      return `Delete it, and the next change begins a new one: redis-cli DEL '${log}'.`
    case replicas:
      return renewed(replicas)
    default:
      return undefined
  }
}

/** A report is a text: what a stranger wrote in its place hides no other report. */
function noTextWhereOfWrongType(error: Error): string {
  if (!isOfWrongType(error)) throw error
  return ''
}

/** A replica whose user has the rule of an earlier version reports all the same; whoever reads the reports sees what is missing. */
function nothingWhereDenied(error: Error): Scanned {
  if (!isDenied(error)) throw error
  return { next: START, found: [] }
}

/** A change is compared with the text: zeros in front of it would be another version. */
function readVersion(text: string): number {
  return /^(?:0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN
}
