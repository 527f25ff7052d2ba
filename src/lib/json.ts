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
