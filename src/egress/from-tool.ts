import { SourceError } from '../errors.js'
import { parseJson } from '../lib/json.js'
import { withFullStop } from '../lib/text.js'
import type { EgressEntry } from './read-list.js'
import { readValue } from './value.js'

/** What a tool's output was read as. */
export interface ToolOutput {
  readonly entries: readonly EgressEntry[]
  /** What was left out, and why; a sentence each. */
  readonly leftOut: readonly string[]
}

/** A public address of a cloud, or why there is none. */
type Found = { readonly value: string; readonly name: string } | { readonly leftOut: string }

interface Tool {
  /** The command whose output is read. */
  readonly command: string
  readonly read: (output: unknown) => readonly Found[]
}

/** The tools whose JSON is read, by the name of the command line. */
export const TOOLS = {
  'aws-nat': { command: 'aws ec2 describe-nat-gateways', read: readAwsNat },
  'aws-addresses': { command: 'aws ec2 describe-addresses', read: readAwsAddresses },
  'gcloud-addresses': { command: 'gcloud compute addresses list --format json', read: readGcloud },
  'azure-public-ips': { command: 'az network public-ip list', read: readAzure },
  'terraform-output': { command: 'terraform output -json', read: readTerraform }
} as const satisfies Record<string, Tool>

/** The name of a tool whose JSON is read. */
export type ToolName = keyof typeof TOOLS

/** The names of all tools. */
export const TOOL_NAMES = Object.keys(TOOLS) as ToolName[]

/**
 * Reads addresses from what a cloud's command line prints as JSON. What is no public address of yours is left out, with a
 * sentence that says so.
 *
 * @throws SourceError (`MOE_ERR_SOURCE`) when the text is not the output of the tool, or holds no address
 */
export function readToolOutput(name: ToolName, text: string): ToolOutput {
  const { command, read }: Tool = TOOLS[name]
  const refuse = (why: string): never => {
    const message = `This cannot be read as the output of '${command}': ${withFullStop(why)}`
    throw new SourceError({ value: text.slice(0, 200), message, fix: 'Run the command, and pipe what it prints.' })
  }
  let found: readonly Found[]
  try {
    const output = parseJson(text)
    if (isObject(output) && 'NextToken' in output && output.NextToken)
      throw new Error('It is the first of several pages.')
    found = read(output)
  } catch (error) {
    return refuse((error as Error).message)
  }
  const entries = found.flatMap((one) => ('value' in one ? [{ value: one.value, name: nameOf(one.name) }] : []))
  const leftOut = found.flatMap((one) => ('leftOut' in one ? [one.leftOut] : []))
  if (entries.length === 0) refuse(['It holds no public address.', ...leftOut].join(' '))
  return { entries, leftOut }
}

/** A name that a list can have: a tag may hold anything. */
const nameOf = (text: string) =>
  text
    .slice(0, 200)
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim() || 'unnamed'

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** The objects of an array, which must be there. */
function objects(value: unknown, what: string): readonly Record<string, unknown>[] {
  if (Array.isArray(value) && value.every(isObject)) return value
  throw new Error(`It has no list ${what}.`)
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : '')

/** Reads a public address; what is something else is left out. */
function found(value: unknown, name: string): Found {
  if (typeof value !== 'string' || value === '') return { leftOut: `${name} has no public address.` }
  const block = readValue(value)
  return 'message' in block ? { leftOut: `${name}: ${block.message}` } : { value, name }
}

function tagged(object: Record<string, unknown>, id: string): string {
  const tags = Array.isArray(object.Tags) ? object.Tags.filter(isObject) : []
  return textOf(tags.find(({ Key }) => Key === 'Name')?.Value) || id
}

function readAwsNat(output: unknown): Found[] {
  return objects(isObject(output) && output.NatGateways, 'NatGateways').flatMap((gateway): Found[] => {
    const name = tagged(gateway, textOf(gateway.NatGatewayId))
    const { State: state } = gateway
    if (state !== undefined && state !== 'available' && state !== 'pending')
      return [{ leftOut: `${name} is ${state}.` }]
    const addresses = objects(gateway.NatGatewayAddresses, 'NatGatewayAddresses')
    return addresses.map(({ PublicIp }) => found(PublicIp, name))
  })
}

function readAwsAddresses(output: unknown): Found[] {
  return objects(isObject(output) && output.Addresses, 'Addresses').map((address) => {
    return found(address.PublicIp, tagged(address, textOf(address.AllocationId)))
  })
}

function readGcloud(output: unknown): Found[] {
  return objects(output, 'of addresses').map(({ address, addressType, name, prefixLength }) => {
    if (addressType === 'INTERNAL') return { leftOut: `${textOf(name)} is internal.` }
    const isPrefix = typeof prefixLength === 'number' && prefixLength > 0
    return found(isPrefix ? `${address}/${prefixLength}` : address, textOf(name))
  })
}

function readAzure(output: unknown): Found[] {
  return objects(output, 'of public IPs').map(({ ipAddress, name }) => found(ipAddress, textOf(name)))
}

/** Takes all outputs, or the value of one. */
function readTerraform(output: unknown): Found[] {
  const isAll =
    isObject(output) && Object.values(output).every((one) => isObject(one) && 'value' in one && 'type' in one)
  if (!isAll) return leaves(output, 'output').map(([text, path]) => found(text, path))
  return Object.entries(output as Record<string, Record<string, unknown>>).flatMap(([name, { value, sensitive }]) => {
    if (sensitive === true) return [{ leftOut: `${name} is sensitive.` }]
    const texts = leaves(value, name)
    const read = texts.map(([text, path]) => found(text, path))
    // An output that holds something else is not a list of addresses.
    return read.some((one) => 'value' in one) ? read : [{ leftOut: `${name} holds no public address.` }]
  })
}

/** The texts in a value, with their paths. */
function leaves(value: unknown, path: string): [text: unknown, path: string][] {
  if (Array.isArray(value)) return value.flatMap((one, i) => leaves(one, value.length === 1 ? path : `${path}[${i}]`))
  if (isObject(value)) return Object.entries(value).flatMap(([key, one]) => leaves(one, `${path}.${key}`))
  return [[value, path]]
}
