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
