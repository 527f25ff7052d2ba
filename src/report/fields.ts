import { isRecord } from '../lib/json.js'

/** The fields of an object of JSON. */
export type Fields = Readonly<Record<string, unknown>>

/** A value as fields, if it is an object that is not an array. */
export function asFields(value: unknown): Fields | undefined {
  return isRecord(value) ? value : undefined
}
