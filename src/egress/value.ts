import { type Address, parseAddress } from '../ip/address.js'
import { Prefix, readPrefix, shortText } from '../ip/prefix.js'
import type { Refusal } from '../ip/prefix-mistake.js'
import { specialPurpose } from '../ip/special.js'
import { quoted } from '../lib/text.js'
import { type Block, blockOf, blockText, numberOf, prefixesOf } from './block.js'

/** Reads an address, a prefix or an IPv4 range `a - b` that a caller on the internet may have; or what is wrong with it. */
export function readValue(text: string): Block | Refusal {
  // Two IPv6 addresses with a hyphen take 93 characters.
  if (text.length > 100) return refusal(`${quoted(text)} is too long for an entry.`, 'Write one entry a line.')
  const read = readBlock(text)
  return 'message' in read ? read : (explainUnreachable(text, read) ?? read)
}

function readBlock(text: string): Block | Refusal {
  const shown = quoted(text)
  const plain = text.replaceAll(/[‐-―−]/g, '-')
  if (plain !== text) {
    return refusal(`${shown} has a dash that is not a hyphen.`, `Write ${plain}, with the hyphen of the keyboard.`)
  }
  if (text.includes('*')) return explainWildcard(text, shown)
  const [, first, last] = /^([^\s-]+)[ \t]*-[ \t]*(\S+)$/.exec(text) ?? []
  const from = first === undefined ? undefined : parseAddress(first)
  if (from !== undefined) return readRange(from, last!, shown)
  const prefix = readPrefix(text)
  if (!(prefix instanceof Prefix)) return prefix
  if (prefix.address.family === 4 && text.includes(':')) {
    return refusal(`${shown} is an IPv4 address in IPv6 form (IPv4-mapped).`, `Write ${shortText(prefix)}.`)
  }
  return blockOf(prefix)
}

const refusal = (message: string, fix: string): Refusal => ({ message, fix })

function readRange(from: Address, last: string, shown: string): Block | Refusal {
  const to = parseAddress(last)
  if (to === undefined) {
    const whole = /^\d{1,3}$/.test(last) ? `${from}`.replace(/\d+$/, last) : ''
    const end = parseAddress(whole) === undefined ? 'the last address' : whole
    return refusal(`${shown} is a range whose end ${quoted(last)} is not an address.`, `Write ${from} - ${end}.`)
  }
  if (from.family !== to.family) {
    return refusal(`${shown} is a range from one family of addresses to the other.`, 'Write an entry for each family.')
  }
  const block = { family: from.family, first: numberOf(from), last: numberOf(to) }
  if (block.first > block.last) return refusal(`${shown} is a range that runs backwards.`, `Write ${to} - ${from}.`)
  if (shown.includes(':')) {
    const prefixes = prefixesOf(block).map(shortText)
    const fix = prefixes.length > 8 ? 'Write the prefixes that cover it.' : `Write ${prefixes.join(' and ')}.`
    return refusal(`${shown} is a range in IPv6 form; ranges are for IPv4.`, fix)
  }
  return block
}

function explainWildcard(text: string, shown: string): Refusal {
  const message = `${shown} is a wildcard; MoEngage lets addresses in, not patterns.`
  const octets = text.split('.')
  const given = octets.slice(0, octets.indexOf('*'))
  const network = `${[...given, '0', '0', '0', '0'].slice(0, 4).join('.')}/${8 * given.length}`
  const isMeant = octets.length === 4 && octets.slice(given.length).every((octet) => octet === '*')
  return refusal(
    message,
    isMeant && given.length > 0 && readPrefix(network) instanceof Prefix
      ? `Write ${network} if you send from all of it.`
      : 'Write the addresses or prefixes that you send from.'
  )
}

const FIX =
  "Write the public address of your NAT gateway, forward proxy or VPN. 'moengage-allowlist egress verify' shows it."

/** Addresses that MoEngage can never see as a caller's. */
function explainUnreachable(text: string, block: Block): Refusal | undefined {
  const prefixes = prefixesOf(block)
  if (prefixes[0]!.length === 0) {
    return refusal(`${quoted(text)} is every address there is, so it keeps nobody out.`, 'List what you send from.')
  }
  for (const prefix of prefixes) {
    const purpose = specialPurpose(prefix)
    if (purpose === undefined) continue
    const what = `${quoted(text)} ${blockText(block).includes('-') || prefix.length < 32 ? 'contains' : 'is'}`
    return refusal(`${what} ${purpose}: no call reaches MoEngage from there.`, FIX)
  }
  return undefined
}
