import { type Address, parseAddress } from '../ip/address.js'
import { Prefix, parsePrefix, readPrefix } from '../ip/prefix.js'
import type { PrefixMistake } from '../ip/prefix-mistake.js'
import { specialEntries, specialPurpose } from '../ip/special.js'
import { lazily } from '../lib/lazily.js'
import { quoted } from '../lib/text.js'
import { type Block, blockOf, numberOf, overlap, prefixesOf, sizeOf } from './block.js'

/** Reads an address, a prefix or an IPv4 range `a - b` that a caller on the internet may have; or what is wrong with it. */
export function readValue(text: string): Block | PrefixMistake {
  // Two IPv6 addresses with a hyphen take 93 characters.
  if (text.length > 100) return mistake(`${quoted(text)} is too long for an entry.`, 'Write one entry a line.')
  const read = readBlock(text)
  return 'message' in read ? read : (explainUnreachable(text, read) ?? read)
}

function readBlock(text: string): Block | PrefixMistake {
  const shown = quoted(text)
  const plain = text.replaceAll(/[‐-―−]/g, '-')
  if (plain !== text) {
    return mistake(`${shown} has a dash that is not a hyphen.`, `Write ${plain}, with the hyphen of the keyboard.`)
  }
  if (text.includes('*')) return explainWildcard(text, shown)
  const [, first, last] = /^([^\s-]+)[ \t]*-[ \t]*(\S*)$/.exec(text) ?? []
  const from = first === undefined ? undefined : parseAddress(first)
  if (from !== undefined) return readRange(from, last!, shown)
  const prefix = readPrefix(text, 'Write each as an entry of its own: a line of a text, an element of an array.')
  if (!(prefix instanceof Prefix)) return prefix
  if (prefix.address.family === 4 && text.includes(':')) {
    return mistake(`${shown} is an IPv4 address in IPv6 form (IPv4-mapped).`, `Write ${prefix.toShortString()}.`)
  }
  return blockOf(prefix)
}

const mistake = (message: string, fix: string): PrefixMistake => ({ message, fix })

function readRange(from: Address, last: string, shown: string): Block | PrefixMistake {
  const to = parseAddress(last)
  if (to === undefined) {
    const whole = /^\d{1,3}$/.test(last) ? `${from}`.replace(/\d+$/, last) : ''
    const end = parseAddress(whole) === undefined ? 'the last address' : whole
    return mistake(`${shown} is a range whose end ${quoted(last)} is not an address.`, `Write ${from} - ${end}.`)
  }
  if (from.family !== to.family) {
    return mistake(`${shown} is a range from one family of addresses to the other.`, 'Write an entry for each family.')
  }
  const block = { family: from.family, first: numberOf(from), last: numberOf(to) }
  if (block.first > block.last) return mistake(`${shown} is a range that runs backwards.`, `Write ${to} - ${from}.`)
  if (shown.includes(':')) {
    const prefixes = prefixesOf(block).map((prefix) => prefix.toShortString())
    const fix = prefixes.length > 8 ? 'Write the prefixes that cover it.' : `Write ${prefixes.join(' and ')}.`
    return mistake(`${shown} is a range in IPv6 form; ranges are for IPv4.`, fix)
  }
  return block
}

function explainWildcard(text: string, shown: string): PrefixMistake {
  const message = `${shown} is a wildcard; MoEngage lets addresses in, not patterns.`
  const octets = text.split('.')
  const given = octets.slice(0, octets.indexOf('*'))
  const network = `${[...given, '0', '0', '0', '0'].slice(0, 4).join('.')}/${8 * given.length}`
  const isMeant = octets.length === 4 && octets.slice(given.length).every((octet) => octet === '*')
  return mistake(
    message,
    isMeant && given.length > 0 && readPrefix(network) instanceof Prefix
      ? `Write ${network} if you send from all of it.`
      : 'Write the addresses or prefixes that you send from.'
  )
}

const specialBlocks = lazily(() =>
  specialEntries().map(({ prefix, grant }) => {
    return { prefix, about: grant.about, block: blockOf(parsePrefix(`${prefix}`)) }
  })
)

const FIX =
  "Write the public address of your NAT gateway, forward proxy or VPN. 'moengage-allowlist egress verify' shows it."

/** Addresses that MoEngage can never see as a caller's. */
function explainUnreachable(text: string, block: Block): PrefixMistake | undefined {
  const shown = quoted(text)
  if (sizeOf(block) === 1n << (block.family === 4 ? 32n : 128n)) {
    return mistake(`${shown} is every address there is, so it keeps nobody out.`, 'List what you send from.')
  }
  const special = specialBlocks().find((one) => overlap(one.block, block))
  // Parts of IPv6 that are handed out to nobody are not in the table.
  const about = special?.about ?? specialPurpose(prefixesOf(block)[0]!)?.about
  if (about === undefined) return undefined
  const isInside = special === undefined || (special.block.first <= block.first && block.last <= special.block.last)
  const what = isInside ? about : `contains ${special.prefix}, which ${about}`
  return mistake(`${shown} ${what}: no call reaches MoEngage from there.`, FIX)
}
