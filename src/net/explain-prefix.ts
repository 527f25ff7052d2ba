import { readAddress } from './address.js'

/** Why a text is refused, and what to write instead. */
export interface Refusal {
  readonly message: string
  readonly fix: string
}

const isAddress = (text: string) => readAddress(text, 0, text.length) !== 0
const refusal = (message: string, fix: string): Refusal => ({ message, fix })

/**
 * Says what is wrong with a value that is neither an address nor a prefix. It knows the spellings that other programs
 * accept, so that whoever copied one from a firewall or an environment variable reads what to write instead.
 */
export function explainPrefix(value: unknown): Refusal {
  if (typeof value !== 'string') {
    return refusal(`${describe(value)} is not a text.`, 'Write the address or prefix as a string.')
  }
  const shown = `"${value.length > 60 ? `${value.slice(0, 60)}…` : value}"`
  if (value === '') {
    return refusal('It is an empty string (is an environment variable empty?).', 'Remove it, or set the variable.')
  }
  if (/["']/.test(value)) {
    return refusal(`${shown} still has its quotes.`, `Write ${value.replaceAll(/["']/g, '')}.`)
  }
  if (value !== value.trim()) {
    return refusal(`${shown} has white space around it.`, `Write ${value.trim()}.`)
  }
  if (value === '*' || /^(?:any|all)$/i.test(value)) {
    return refusal(`${shown} stands for everyone.`, 'List the addresses or prefixes that you mean.')
  }
  if (/[,;]/.test(value)) {
    return refusal(`${shown} holds several entries in one string.`, 'Write one entry a string: an array of strings.')
  }
  return explainRange(value, shown) ?? explainLength(value, shown) ?? explainAddress(value, shown)
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'An array' : `A value of type ${typeof value}`
}

function explainRange(text: string, shown: string): Refusal | undefined {
  const [first, last, ...more] = text.split('-').map((part) => part.trim())
  if (first === undefined || last === undefined || more.length > 0) return undefined
  const [firstAddress] = first.split('/') as [string]
  if (!isAddress(firstAddress)) return undefined
  if (firstAddress !== first) {
    return refusal(`${shown} mixes a range with prefixes.`, 'Write one prefix an entry.')
  }
  if (!isAddress(last)) {
    return refusal(`${shown} is a range whose end "${last}" is not an address.`, 'Write the prefixes that cover it.')
  }
  if (first.includes(':') !== last.includes(':')) {
    return refusal(`${shown} is a range that mixes IPv4 and IPv6.`, 'Write the prefixes of each family.')
  }
  if (compareText(first, last) > 0) {
    return refusal(`${shown} is a range that runs backwards.`, `Write the prefixes that cover ${last} to ${first}.`)
  }
  return refusal(`${shown} is a range; only prefixes are read.`, 'Write the prefixes that cover it.')
}

/** Dotted decimal compares part by part; for IPv6 the spelling decides nothing, so only equal lengths are compared. */
function compareText(first: string, last: string): number {
  if (first.includes(':')) return 0
  const lasts = last.split('.').map(Number)
  for (const [i, part] of first.split('.').map(Number).entries()) {
    if (part !== lasts[i]) return part - lasts[i]!
  }
  return 0
}

function explainLength(text: string, shown: string): Refusal | undefined {
  const slash = text.indexOf('/')
  if (slash < 0) return undefined
  const address = text.slice(0, slash)
  const length = text.slice(slash + 1)
  if (!isAddress(address)) {
    const inner = explainAddress(address, `"${address}" in ${shown}`)
    return address === '' ? refusal(`${shown} has no address.`, 'Write an address before the "/".') : inner
  }
  const bits = address.includes(':') ? 128 : 32
  if (length === '') {
    return refusal(`${shown} has no prefix length.`, `Write ${address} for one address, or a length after the "/".`)
  }
  if (isAddress(length)) {
    const octets = length.split('.').map((part) => Number(part).toString(2).padStart(8, '0'))
    const mask = octets.join('')
    if (/^1*0*$/.test(mask)) {
      return refusal(`${shown} uses a netmask.`, `Write ${address}/${mask.indexOf('0') < 0 ? 32 : mask.indexOf('0')}.`)
    }
    if (/^0*1*$/.test(mask)) {
      return refusal(`${shown} uses a wildcard mask.`, `Write ${address}/${mask.indexOf('1')}.`)
    }
    return refusal(`${shown} uses a netmask with holes.`, 'Write one prefix for each network that it stands for.')
  }
  if (/^0[0-9]+$/.test(length)) {
    return refusal(`${shown} has a prefix length with a leading zero.`, `Write ${address}/${Number(length)}.`)
  }
  if (/^[0-9]+$/.test(length)) {
    const family = bits === 32 ? 'IPv4' : 'IPv6'
    return refusal(
      bits === 32 && Number(length) <= 128
        ? `${shown} has an IPv6 prefix length on an IPv4 address; an IPv4 prefix length is 0 to 32.`
        : `${shown} has a prefix length out of bounds; an ${family} prefix length is 0 to ${bits}.`,
      `Write ${address}/${bits} or a shorter length.`
    )
  }
  return refusal(`${shown} has a prefix length that is not a number.`, `Write a number from 0 to ${bits}.`)
}

function explainAddress(text: string, shown: string): Refusal {
  if (text.includes('%')) {
    return refusal(`${shown} has a zone; a zone means something on one machine only.`, 'Write the address without it.')
  }
  const bracketed = /^\[(.*)\](?::[0-9]*)?$/.exec(text)
  if (bracketed) {
    return refusal(`${shown} has brackets or a port.`, `Write ${bracketed[1]}.`)
  }
  const port = /^([0-9.]+):[0-9]*$/.exec(text)
  if (port) {
    return refusal(`${shown} carries a port.`, `Write ${port[1]}.`)
  }
  if (/^0x/i.test(text) || /\.0x/i.test(text)) {
    return refusal(`${shown} is written in hexadecimal.`, 'Write four decimal numbers with dots.')
  }
  if (/^[0-9]+$/.test(text)) {
    return refusal(
      `${shown} is a hop count or an incomplete address; neither is accepted.`,
      'List the addresses: four decimal numbers with dots.'
    )
  }
  if (/^[0-9.*]*\*$/.test(text)) {
    return refusal(`${shown} is a wildcard.`, 'Write a prefix: 10.0.0.* is 10.0.0.0/24.')
  }
  if (/^[0-9.]+$/.test(text)) return explainDotted(text, shown)
  if (text.split('::').length > 2) {
    return refusal(`${shown} has two "::".`, 'Write the zeros of one of them in full.')
  }
  if (/[a-z]/i.test(text) && /^[a-z0-9._-]+$/i.test(text)) {
    return refusal(
      `${shown} is a host name; names are not looked up, because DNS would then decide who gets in.`,
      text.toLowerCase() === 'localhost' ? 'Write 127.0.0.0/8 and ::1.' : 'Write its addresses.'
    )
  }
  return refusal(`${shown} is not an IP address or prefix.`, 'Write it like 203.0.113.9, 10.0.0.0/8 or 2001:db8::/32.')
}

function explainDotted(text: string, shown: string): Refusal {
  const parts = text.split('.')
  if (parts.includes('')) {
    return refusal(`${shown} has an empty part.`, 'Write four decimal numbers with dots.')
  }
  if (parts.length !== 4) {
    const zeros = [...parts, '0', '0', '0'].slice(0, 4).join('.')
    return refusal(
      `${shown} has ${parts.length} parts; an IPv4 address has four.`,
      parts.length < 4 ? `Write ${zeros}/${8 * parts.length} if you mean the network.` : 'Write four of them.'
    )
  }
  if (parts.some((part) => /^0[0-9]/.test(part))) {
    const decimal = parts.map(Number).join('.')
    const octal = parts.map((part) => (/^0[0-7]+$/.test(part) ? Number.parseInt(part, 8) : Number(part))).join('.')
    return refusal(
      `${shown} has a leading zero: some programs read it as ${octal}, others as ${decimal}.`,
      `Write ${decimal}${octal === decimal ? '' : ` or ${octal}`}.`
    )
  }
  return refusal(`${shown} has a part above 255.`, 'Write four numbers from 0 to 255.')
}
