/**
 * Reads JSON.
 *
 * @throws Error that says what stands there instead
 */
export function parseJson(text: string): unknown {
  if (text.trim() === '') throw new Error('It is empty.')
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`It is not JSON: ${(error as Error).message}`)
  }
}

/** The value of a JSON text; undefined if it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Reads JSON in which no object has two members of the same name: readers do not agree which of them counts.
 *
 * @throws Error that says what stands there instead
 */
export function parseStrictJson(text: string): unknown {
  const value = parseJson(text)
  // Valid JSON has a colon behind a string only where the string is the name of a member.
  const written = [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)].filter(([, colon]) => colon !== undefined).length
  if (written !== countMembers(value)) throw new Error('It has two members of the same name.')
  return value
}

function countMembers(value: unknown): number {
  let count = 0
  const waiting = [value]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (typeof next !== 'object' || next === null) continue
    const values = Object.values(next)
    if (!Array.isArray(next)) count += values.length
    for (const inner of values) waiting.push(inner)
  }
  return count
}

/**
 * Formats a value as JSON without invisible characters: control characters of both sets, bidirectional overrides and the like
 * become escapes, so that a terminal shows what is there.
 */
export function formatJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replaceAll(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (found) =>
    // An escape is a UTF-16 unit.
    Array.from({ length: found.length }, (_, i) => `\\u${found.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')
  )
}

/** Whether a value is an object of JSON: no list, and not null. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a value is a whole number from 0 that JavaScript counts exactly. */
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
