import type { KeyObject } from 'node:crypto'
import type { Problem, SignatureError } from '../../errors.js'
import type { Option, OptionRule, OptionTable } from '../../lib/option.js'
import { OptionReader } from '../../lib/option-reader.js'
import { shown } from '../../lib/text.js'
import { CLOCK } from '../../lib/time.js'
import { readPublicKey } from '../../signing/keys.js'
import { refuseReplay, type VerifiedDocument, verifyDocument } from '../../signing/signed-document.js'
import type { Reader } from './source.js'

/** The option `verify` that is right. */
export interface Verify {
  readonly publicKeys: readonly KeyObject[]
  readonly name: string | undefined
}

const MAX_KEYS = 10
/** A public key to which nobody has the private one: pasted as it stands, it lets no list in. */
const KEY_EXAMPLE = `'replace-me-with-the-line-that-keygen-prints'`

const VERIFY_OPTIONS = {
  publicKeys: {
    fallback: [],
    example: `[${KEY_EXAMPLE}]`,
    required: `Write publicKeys: [${KEY_EXAMPLE}].`,
    // A private key may be given by mistake.
    isSecret: true,
    read: readKeys
  },
  name: {
    fallback: undefined,
    example: `'production'`,
    read: (option) =>
      typeof option.value === 'string' && option.value !== ''
        ? option.value
        : option.refuse(`${shown(option.value)} is not a name.`, `Write 'production', or another name of a list.`)
  } as OptionRule<string | undefined>
} satisfies OptionTable

/** The option `verify` of a source. */
export const VERIFY: OptionRule<Verify | undefined> = {
  fallback: undefined,
  example: `{ publicKeys: [${KEY_EXAMPLE}] }`,
  isSecret: true,
  read(option) {
    const { value } = option
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return OptionReader.inside(VERIFY_OPTIONS, option).readAll()
    }
    return option.refuse('It does not name public keys.', `Write { publicKeys: [${KEY_EXAMPLE}] }.`)
  }
}

function readKeys(option: Option): readonly KeyObject[] | undefined {
  const { value } = option
  const keys: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (keys.length === 0 || keys.length > MAX_KEYS) {
    return option.refuse(`It names ${keys.length} keys.`, `Name 1 to ${MAX_KEYS} public keys.`)
  }
  return option.items(keys).flatMap((item) => readKey(item) ?? [])
}

/** What was given is not shown: it may be a private key. */
function readKey(item: Option): KeyObject | undefined {
  if (typeof item.value !== 'string' || item.value.trim() === '') {
    return item.refuse('It is not a text (is an environment variable empty?).', `Write ${KEY_EXAMPLE}, or PEM.`)
  }
  try {
    return readPublicKey(item.value)
  } catch (error) {
    const { message, fix } = error as SignatureError
    return item.refuse(message.slice(0, message.indexOf(fix)).trim(), fix)
  }
}

/** Reads signed lists. What it accepted last is kept in memory: after a restart, an older list that has not expired is accepted. */
export class SignedListReader implements Reader {
  readonly #verify: Verify
  readonly #now: () => number
  #offered: VerifiedDocument | undefined
  #inUse: VerifiedDocument | undefined

  constructor(verify: Verify, now = CLOCK.now) {
    this.#verify = verify
    this.#now = now
  }

  async read(text: unknown): Promise<unknown> {
    const document = await verifyDocument(text, { ...this.#verify, kind: 'list', now: this.#now() })
    refuseReplay(document, this.#inUse)
    this.#offered = document
    return document.payload
  }

  accepted(): void {
    this.#inUse = this.#offered
  }

  /** A list that expires while it is in use stays in use: better than no list. */
  warnings(now: number): readonly Problem[] {
    if (this.#inUse === undefined || now < Date.parse(this.#inUse.expires)) return []
    const { name, version, expires } = this.#inUse
    return [
      {
        code: 'MOE_WARN_STALE',
        path: 'source',
        value: name,
        message: `Version ${version} of the signed list "${name}" has expired on ${expires}; it stays in use.`,
        fix: 'Sign a newer version.'
      }
    ]
  }
}
