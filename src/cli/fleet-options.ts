import { createPublicKey } from 'node:crypto'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { FleetError } from '../errors.js'
import type { ChangeOptions, FleetControl } from '../fleet/control.js'
import { isName, NO_NAME } from '../fleet/name.js'
import type { Replica } from '../guard/fleet.js'
import type { Override } from '../guard/status.js'
import { safeCause } from '../lib/cause.js'
import { messageOf, quoted, withFullStop } from '../lib/text.js'
import { parseDuration, SECOND } from '../lib/time.js'
import { jsonOption, readFileName } from './input.js'
import { Exit, type Io, notify, writeJson } from './io.js'
import { overridesTable } from './overrides-table.js'
import { expiryOf, readKeyFile } from './sign.js'
import { SignedFile } from './signed-file.js'

/** Which fleet a command is about. */
export interface FleetOptions {
  readonly redis?: string
  readonly name?: string
  readonly scope: string
  readonly json?: true
}

/** How a command changes a fleet. */
export interface ChangeFlags extends FleetOptions {
  readonly sign?: string
  readonly expires?: string
  readonly adopt?: string
  readonly expect?: number
  readonly wait?: number | true
}

/** How long an answer of the store may take: a person can wait longer than a replica. */
const TIMEOUT = 5 * SECOND
const WAIT = 10 * SECOND
const LOOK = 100

const NO_FLEET = `Exit codes: 0 done, 1 not done in time, 2 an error.`

/** Adds the options that say which fleet is meant. */
export function addFleetOptions(command: Command): Command {
  return command
    .option('--redis <url>', 'the store, like rediss://user:password@host:6379 (default: $MOENGAGE_REDIS_URL)')
    .option('--name <name>', 'the name of the fleet (default: $MOENGAGE_FLEET)')
    .option('--scope <scope>', 'the first part of its keys', 'moengage')
    .addOption(jsonOption())
}

/** Adds the options of a change. */
export function addChangeOptions(command: Command): Command {
  return addFleetOptions(command)
    .option('--sign <key>', 'the file of the Ed25519 private key that signs it', readFileName)
    .option('--expires <time>', 'when what is signed expires: a time from now, or a day (default: 90d)')
    .option('--adopt <which>', 'sign overrides that were refused: the digest that was shown, or none', readAdopted)
    .option('--expect <version>', 'change nothing if the store has another version', readVersion)
    .option('--wait [time]', 'wait until all live replicas use it, 10s at most by default', readTime)
    .addHelpText('after', `\n${NO_FLEET}`)
}

/** What is confirmed of a change that is suspicious. */
export interface ConfirmFlags {
  readonly confirm?: readonly string[]
}

export const confirmOption = () =>
  new Option('--confirm <suspicion...>', 'wide or private; each replica needs it in its own options as well').argParser(
    readConfirmed
  )

const SUSPICIONS = ['wide', 'private']

/** Commander gives the values one by one; people write them with commas as well. */
function readConfirmed(text: string, before: readonly string[] = []): readonly string[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '')
  if (words.every((word) => SUSPICIONS.includes(word))) return [...before, ...words]
  throw new InvalidArgumentError(`Write one or more of: ${SUSPICIONS.join(', ')}.`)
}

export function readTime(text: string): number {
  const time = parseDuration(text)
  if (time !== undefined && time > 0) return time
  throw new InvalidArgumentError('Write a time like 30s, 24h or 90d.')
}

function readAdopted(text: string): string {
  if (/^(?:none|[\da-f]{40})$/.test(text)) return text
  throw new InvalidArgumentError('Write the digest that the refusal shows, or none to start without any override.')
}

function readVersion(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Write the version that fleet status shows; 0 for none.')
}

/** A fleet that options name. */
interface NamedFleet {
  readonly url: string
  readonly name: string
  readonly scope: string
}

function fleetBy(options: FleetOptions, io: Io): NamedFleet {
  const name = options.name ?? io.env.MOENGAGE_FLEET
  const url = options.redis ?? io.env.MOENGAGE_REDIS_URL
  if (url === undefined || !isStore(url)) {
    throw new FleetError({
      value: '…',
      message: url === undefined ? 'No store is named.' : 'The store is not a URL of Redis or Valkey.',
      fix: 'Write --redis redis://127.0.0.1:6379, with /2 behind it for database 2, or set MOENGAGE_REDIS_URL.'
    })
  }
  if (name === undefined) throw new FleetError({ value: name, message: 'No fleet is named.', fix: NAME_FIX })
  checkKey(options.name === undefined ? 'MOENGAGE_FLEET' : '--name', name, NAME_FIX)
  checkKey('--scope', options.scope, 'Write --scope staging, as in redisFleet({ scope }), or leave it out.')
  return { url, name, scope: options.scope }
}

/** Whether a text is a URL of a store: its path is the number of a database, or nothing; no query has another number. */
function isStore(url: string): boolean {
  if (!/^rediss?:\/\//.test(url) || !URL.canParse(url)) return false
  const { pathname, searchParams } = new URL(url)
  return /^\/?\d*$/.test(pathname) && !searchParams.has('db')
}

/**
 * Runs something with the fleet that the options name, and ends its connections.
 *
 * @throws FleetError (`MOE_ERR_FLEET`)
 */
export async function withFleet(
  options: FleetOptions,
  io: Io,
  run: (control: FleetControl) => Promise<void>
): Promise<void> {
  const { url, name, scope } = fleetBy(options, io)
  const client = await io.redis(url)
  const { FleetControl } = await import('../fleet/control.js')
  const { RedisStore } = await import('../fleet/redis/store.js')
  const control = new FleetControl(new RedisStore({ client, scope, name, timeout: TIMEOUT, poll: TIMEOUT }), name)
  try {
    await run(control)
  } catch (error) {
    if (error instanceof Exit || isProblem(error)) throw error
    const failure = new FleetError({
      value: name,
      message: `The store of the fleet "${name}" failed: ${withFullStop(messageOf(error))}`,
      fix: 'Look at the server and its log.'
    })
    failure.cause = safeCause(error)
    throw failure
  } finally {
    control.close()
  }
}

const NAME_FIX = 'Write --name webhooks, as in redisFleet({ name }), or set MOENGAGE_FLEET.'

/** Name and scope are parts of the keys in the store. */
function checkKey(path: string, value: string, fix: string): void {
  if (isName(value)) return
  throw new FleetError({ path, value, message: `${quoted(value)} ${NO_NAME}`, fix })
}

/** Whether an error is one of ours, which says what to do. */
const isProblem = (error: unknown) => typeof (error as { readonly fix?: unknown }).fix === 'string'

/** A change that a command makes, and what it signed. */
interface Change extends ChangeOptions {
  /** All overrides that were signed; undefined where none were. */
  signed?: readonly Override[]
}

/**
 * The options of a change, with the key read.
 *
 * @param instead what may be meant by an expiry that nothing has
 */
export async function changeBy(flags: ChangeFlags, io: Io, instead?: (expires: string) => string): Promise<Change> {
  const { sign, expires, expect, adopt } = flags
  const change = {
    expires: expires === undefined ? undefined : Date.parse(expiryOf(expires, io.now().getTime())),
    expect
  }
  if (sign === undefined) {
    if (adopt !== undefined) {
      throw new FleetError({
        value: adopt,
        message: '--adopt is about overrides that are to be signed.',
        fix: 'Add --sign KEY, or leave --adopt out.'
      })
    }
    if (expires !== undefined) {
      throw new FleetError({
        value: expires,
        message: '--expires is about what is signed, and this change is not.',
        fix: `${instead === undefined ? '' : `${instead(expires)} `}For a signature, add --sign KEY; or leave --expires out.`
      })
    }
    return change
  }
  const key = await readKeyFile(sign, io)
  const { url, name, scope } = fleetBy(flags, io)
  // Another key knows nothing of what this one signed.
  const { x } = createPublicKey(key).export({ format: 'jwk' })
  const signing: Change = {
    ...change,
    sign: key,
    adopt,
    memory: new SignedFile(`${sign}.signed.json`, { url, fleet: `{${scope}:${name}} ${x}` }, io),
    onSigned: (overrides) => {
      signing.signed = overrides
    }
  }
  return signing
}

/** What a command has done. */
interface Done {
  readonly version: number
  readonly text: string
  readonly override?: Override
  readonly removed?: readonly Override[]
  readonly revision?: string
}

/** Prints what was done, and waits for the replicas if that was asked for. Exit code 1 unless all live ones use the version in time. */
export async function finish(
  control: FleetControl,
  done: Done,
  { signed }: Change,
  flags: ChangeFlags,
  io: Io
): Promise<void> {
  const { version, text, ...rest } = done
  let replicas: Awaited<ReturnType<typeof waitFor>> | undefined
  try {
    if (flags.wait !== undefined) replicas = await waitFor(control, done, flags, io)
  } finally {
    // What was done is printed, whatever happens while the command waits.
    if (flags.json) writeJson(io.stdout, { version, ...rest, ...(signed && { signed }), ...(replicas && { replicas }) })
    else {
      io.stdout.write(`${text}\nversion ${version}\n`)
      if (signed !== undefined) io.stdout.write(signedText(signed))
      if (replicas !== undefined) io.stdout.write(`${replicas.current} of ${replicas.live} live replicas use it\n`)
    }
  }
  if (replicas !== undefined && (replicas.live === 0 || replicas.current < replicas.live)) throw new Exit(1)
}

/** All that was signed: what somebody else wrote before is seen here. */
function signedText(overrides: readonly Override[]): string {
  if (overrides.length === 0) return 'signed: no override\n'
  return `signed: ${overrides.length === 1 ? 'one override' : `${overrides.length} overrides`}\n${overridesTable(overrides)}\n`
}

/**
 * Whether a replica uses what was published, or something newer that is based on it. What is newer than the store is of another state, which the
 * store has lost. The error of a replica does not decide: it may be that of its own source.
 */
function uses({ version }: Replica, published: number, stored: number | null): boolean {
  return version === published || (version !== null && version > published && version <= (stored ?? 0))
}

/** @throws (rejects with) FleetError (`MOE_ERR_FLEET`) where the store has lost what was done */
async function waitFor(control: FleetControl, done: Done, { wait }: ChangeFlags, io: Io) {
  const { version, override, removed } = done
  const set = removed === undefined ? (override ?? 'list') : undefined
  const end = Date.now() + (wait === true || wait === undefined ? WAIT : wait)
  let shown = ''
  for (;;) {
    const { replicas, version: stored } = await control.status()
    if (set !== undefined && (await control.hasLost(set, version))) {
      throw new FleetError({
        value: version,
        message: `The store has lost this change: version ${stored}, which it has now, is not based on version ${version}.`,
        fix: 'Make the change again.'
      })
    }
    const live = replicas.filter(({ state }) => state === 'live')
    const behind = live.filter((replica) => !uses(replica, version, stored))
    const progress = `${live.length - behind.length} of ${live.length} live replicas use version ${version}`
    if (io.stderr.isTTY && progress !== shown) io.stderr.write(`${progress}\n`)
    shown = progress
    const isDone = live.length > 0 && behind.length === 0
    if (isDone || Date.now() >= end) {
      for (const { host, pid, lastError } of behind) {
        notify(io, 'warning', `${host} ${pid} does not use it${lastError === null ? '' : `: ${lastError}`}`)
      }
      if (live.length === 0) notify(io, 'warning', 'No replica reports.')
      return { live: live.length, current: live.length - behind.length }
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK))
  }
}
