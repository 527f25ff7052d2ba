import { AWAIT_FIX, isUnwantedPromise } from '../lib/promise.js'
import { kindOf, quoted } from '../lib/text.js'
import { type Address, formatWords, parseAddress } from './address.js'
import { ParsedPrefix, parseLength, wordMask } from './parsed-prefix.js'

/** Why a text is refused, and what to write instead. */
export interface PrefixMistake {
  readonly message: string
  readonly fix: string
}

const DOTTED = 'four decimal numbers with dots'
const isAddress = (text: string) => parseAddress(text) !== undefined
const isPrefix = (text: string) => new ParsedPrefix().parse(text) !== 0
const mistake = (message: string, fix: string): PrefixMistake => ({ message, fix })

/** Says to write a text where that would be accepted, or what is meant by it; something else where it would not. */
function write(text: string, otherwise: string): string {
  return isPrefix(text) ? `Write ${text}.` : (explainHostBits(text)?.fix ?? otherwise)
}

/**
 * Says what is wrong with a value that is no prefix. It knows the spellings that other programs accept, so that whoever
 * copied one from a firewall or an environment variable reads what to write instead.
 *
 * @param severalFix what to do about several entries in one text, which depends on where it is written
 */
export function explainPrefix(
  value: unknown,
  severalFix = 'Write one entry a string: an array of strings.'
): PrefixMistake {
  if (typeof value !== 'string') {
    const fix = isUnwantedPromise(value) ? AWAIT_FIX : 'Write the address or prefix as a string.'
    return mistake(`${kindOf(value)} is not a text.`, fix)
  }
  const shown = quoted(value)
  return (
    explainHostBits(value) ??
    explainWrapping(value, shown, severalFix) ??
    explainSeveral(value, shown, severalFix) ??
    explainRange(value, shown) ??
    explainLength(value, shown) ??
    explainAddress(value, shown)
  )
}

/** A prefix that would be right but for the bits behind its length: names the network and the host. */
function explainHostBits(text: string): PrefixMistake | undefined {
  const slash = text.indexOf('/')
  const address = parseAddress(text.slice(0, Math.max(slash, 0)))
  const written = parseLength(text, slash + 1)
  const isMapped = address?.family === 4 && text.includes(':')
  if (address === undefined || written < 0 || written > (address.family === 4 && !isMapped ? 32 : 128)) return undefined
  if (isMapped && written > 32 && written < 96) {
    return mistake(
      `${quoted(text)} is an IPv4-mapped prefix below /96, which would cover every IPv4 address.`,
      `Write ${address} for the one address, or an IPv4 prefix.`
    )
  }
  // `::ffff:10.0.0.0/8` was meant as 10.0.0.0/8; read literally it would cover every IPv4 address.
  const length = isMapped && written > 32 ? written - 96 : written
  return mistake(
    isMapped && written <= 32
      ? `${quoted(text)} is an IPv4-mapped address with an IPv4 prefix length; read literally it would cover every IPv4 address.`
      : `${quoted(text)} has bits set behind its prefix length, so it may mean the host or the network.`,
    `Write ${prefixOf(address, length)}/${length} for the network, or ${address} for the one address.`
  )
}

function prefixOf({ family, words }: Address, length: number): string {
  return formatWords(
    family,
    words.map((word, i) => word & wordMask(length, i))
  )
}

function explainWrapping(text: string, shown: string, severalFix: string): PrefixMistake | undefined {
  const trimmed = text.trim()
  if (trimmed === '') {
    const what = text === '' ? 'It is an empty string' : 'It is nothing but white space'
    return mistake(`${what} (is an environment variable empty?).`, 'Remove it, or set the variable.')
  }
  if (/^\[.*["'].*\]$/s.test(trimmed)) return mistake(`${shown} is a list in one string.`, severalFix)
  const bare = text.replaceAll(/["'`“”‘’]/g, '')
  if (bare !== text) {
    return mistake(`${shown} still has its quotes.`, write(bare.trim(), 'Remove the quotes.'))
  }
  if (trimmed !== text) {
    return mistake(`${shown} has white space around it.`, write(trimmed, 'Remove the white space.'))
  }
  return undefined
}

function explainSeveral(text: string, shown: string, fix: string): PrefixMistake | undefined {
  if (/^(?:\*|any|all)$/i.test(text)) {
    return mistake(`${shown} stands for everyone.`, 'List the addresses or prefixes that you mean.')
  }
  const parts = text.split(/\s+/)
  const [address, mask] = parts as [string, string]
  const masked = parts.length === 2 && isAddress(address) ? explainMask(address, mask, shown) : undefined
  if (masked !== undefined) return masked
  if (/[,;]/.test(text) || (parts.length > 1 && parts.every(isPrefix))) {
    return mistake(`${shown} holds several entries in one string.`, fix)
  }
  if (/[^ -~]/.test(text)) {
    return mistake(`${shown} holds a character that is not plain ASCII.`, 'Type it anew.')
  }
  return undefined
}

function explainRange(text: string, shown: string): PrefixMistake | undefined {
  const parts = text.split('-').map((part) => part.trim())
  if (parts.length !== 2) return undefined
  const [first, last] = parts as [string, string]
  const [[firstAddress], [lastAddress]] = [first.split('/') as [string], last.split('/') as [string]]
  const from = parseAddress(firstAddress)
  if (from === undefined) return undefined
  if (firstAddress !== first) {
    if (!isAddress(lastAddress)) return undefined
    return mistake(`${shown} mixes a range with prefixes.`, 'Write one prefix an entry.')
  }
  const to = parseAddress(last)
  if (to === undefined) {
    return mistake(
      `${shown} is a range whose end ${quoted(last)} is not an address.`,
      'Write the prefixes that cover it.'
    )
  }
  if (from.family !== to.family) {
    return mistake(`${shown} is a range that mixes IPv4 and IPv6.`, 'Write the prefixes of each family.')
  }
  const differing = from.words.findIndex((word, i) => word !== to.words[i])
  if (differing >= 0 && from.words[differing]! > to.words[differing]!) {
    return mistake(`${shown} is a range that runs backwards.`, `Write the prefixes that cover ${to} to ${from}.`)
  }
  return mistake(`${shown} is a range; only prefixes are read.`, 'Write the prefixes that cover it.')
}

function explainLength(text: string, shown: string): PrefixMistake | undefined {
  const slash = text.indexOf('/')
  if (slash < 0) return undefined
  const address = text.slice(0, slash)
  const length = text.slice(slash + 1)
  if (address === '') {
    return mistake(`${shown} has no address.`, 'Write an address before the "/".')
  }
  if (!isAddress(address)) return explainAddress(address, `${quoted(address)} in ${shown}`, `/${length}`)
  const bits = address.includes(':') ? 128 : 32
  if (length === '') {
    return mistake(`${shown} has no prefix length.`, `Write ${address} for one address, or a length after the "/".`)
  }
  const masked = explainMask(address, length, shown)
  if (masked !== undefined) return masked
  if (isAddress(length)) {
    return mistake(`${shown} uses a netmask with holes.`, 'Write one prefix for each network that it stands for.')
  }
  const within = `Write a number from 0 to ${bits}.`
  if (/^0[0-9]+$/.test(length)) {
    return mistake(
      `${shown} has a prefix length with a leading zero.`,
      write(`${address}/${length.replace(/^0+(?=.)/, '')}`, within)
    )
  }
  if (/^[0-9]+$/.test(length)) {
    const family = bits === 32 ? 'IPv4' : 'IPv6'
    return mistake(
      bits === 32 && Number(length) <= 128
        ? `${shown} has an IPv6 prefix length on an IPv4 address; an IPv4 prefix length is 0 to 32.`
        : `${shown} has a prefix length out of bounds; an ${family} prefix length is 0 to ${bits}.`,
      `Write ${address}/${bits} or a shorter length.`
    )
  }
  return mistake(`${shown} has a prefix length that is not a number.`, within)
}

/** An IPv4 address with a mask in the place of a prefix length, as firewalls and routers write it. */
function explainMask(address: string, text: string, shown: string): PrefixMistake | undefined {
  const octets = `${address}.${text}`.split('.')
  if (octets.length !== 8 || !isAddress(text)) return undefined
  const mask = octets
    .slice(4)
    .map((octet) => Number(octet).toString(2).padStart(8, '0'))
    .join('')
  if (!mask.includes('1')) {
    return mistake(
      `${shown} has a mask of zeros: everyone as a netmask, one address as a wildcard mask.`,
      `Write ${address} for the one address.`
    )
  }
  const [, ones, zeros] = /^(1*)0*$|^(0*)1*$/.exec(mask) ?? []
  const length = (ones ?? zeros)?.length
  if (length === undefined) return undefined
  const kind = zeros === undefined ? 'netmask' : 'wildcard mask'
  return mistake(`${shown} uses a ${kind}.`, write(`${address}/${length}`, 'Write a prefix length.'))
}

/** @param suffix the prefix length that follows the address, with its slash */
function explainAddress(text: string, shown: string, suffix = ''): PrefixMistake {
  if (text.includes('%')) {
    return mistake(`${shown} has a zone; a zone means something on one machine only.`, 'Write the address without it.')
  }
  const [, bracketed] = /^\[(.*)\](?::[0-9]*)?$/.exec(text) ?? []
  if (bracketed !== undefined) {
    return mistake(`${shown} has brackets or a port.`, write(bracketed + suffix, 'Write the address alone.'))
  }
  const [, beforePort] = /^([0-9.]+):[0-9]*$/.exec(text) ?? []
  if (beforePort !== undefined) {
    return mistake(`${shown} carries a port.`, write(beforePort + suffix, 'Write the address alone.'))
  }
  if (/^0x|\.0x/i.test(text)) {
    return mistake(`${shown} is written in hexadecimal.`, `Write ${DOTTED}.`)
  }
  if (/^[0-9]+$/.test(text)) {
    return mistake(
      `${shown} is a hop count or an incomplete address; neither is accepted.`,
      `List the addresses: ${DOTTED}.`
    )
  }
  if (/^[0-9.*]*\*$/.test(text)) {
    return mistake(`${shown} is a wildcard.`, `Write ${networkOf(text) ?? 'the prefixes that cover it'}.`)
  }
  if (/^[0-9.]+$/.test(text)) return explainDotted(text, shown, suffix)
  if (text.split('::').length > 2) {
    return mistake(`${shown} has two "::".`, 'Write the zeros of one of them in full.')
  }
  if (/[a-z]/i.test(text) && /^[a-z0-9._-]+$/i.test(text)) {
    return mistake(
      `${shown} is a host name; names are not looked up, because DNS would then decide who gets in.`,
      text.toLowerCase() === 'localhost' ? 'Write 127.0.0.0/8 and ::1.' : 'Write its addresses.'
    )
  }
  return mistake(`${shown} is not an IP address or prefix.`, 'Write it like 203.0.113.9, 10.0.0.0/8 or 2001:db8::/32.')
}

/** The network of a wildcard such as `10.0.*.*` or `10.*`. */
function networkOf(text: string): string | undefined {
  const [, octets] = /^((?:\d+\.){1,3})(?:\*\.)*\*$/.exec(text) ?? []
  const parts = octets?.split('.').slice(0, -1) ?? []
  const network = `${[...parts, '0', '0', '0'].slice(0, 4).join('.')}/${8 * parts.length}`
  return parts.length > 0 && isPrefix(network) ? network : undefined
}

function explainDotted(text: string, shown: string, suffix: string): PrefixMistake {
  const parts = text.split('.')
  if (parts.includes('')) {
    return mistake(`${shown} has an empty part.`, `Write ${DOTTED}.`)
  }
  if (parts.length !== 4) {
    const network = `${[...parts, '0', '0', '0'].slice(0, 4).join('.')}${suffix || `/${8 * parts.length}`}`
    return mistake(
      `${shown} has ${parts.length} parts; an IPv4 address has four.`,
      parts.length < 4 && isPrefix(network) ? `Write ${network} if you mean the network.` : `Write ${DOTTED}.`
    )
  }
  if (parts.some((part) => /^0[0-9]/.test(part))) {
    const decimal = parts.map(Number).join('.')
    const octal = parts.map((part) => (/^0[0-7]+$/.test(part) ? Number.parseInt(part, 8) : Number(part))).join('.')
    const readings = octal === decimal ? [decimal] : [decimal, octal]
    const accepted = readings.map((reading) => reading + suffix).filter(isPrefix)
    const doubt = octal === decimal ? '' : `: some programs read it as ${octal}, others as ${decimal}`
    return mistake(
      `${shown} has a leading zero${doubt}.`,
      accepted.length === 0 ? `Write ${DOTTED}, without leading zeros.` : `Write ${accepted.join(' or ')}.`
    )
  }
  return mistake(`${shown} has a part above 255.`, 'Write four numbers from 0 to 255.')
}
