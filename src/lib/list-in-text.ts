import { parsed } from './json.js'

/** The list that a text holds, in JSON or with its items side by side. */
export const listIn = (text: string): readonly unknown[] => jsonList(text) ?? itemsIn(text)

/** The list that a text holds in JSON, as variables of the environment do; undefined where it holds none. */
export function jsonList(text: string): readonly unknown[] | undefined {
  const value = parsed(text)
  return Array.isArray(value) ? value : undefined
}

/** The items that a text holds, without the brackets and quotes of code. */
function itemsIn(text: string): readonly string[] {
  return text
    .replace(/^\s*\[(.*)\]\s*$/s, '$1')
    .split(/[\s,;]+/)
    .map((item) => item.replace(/^(["'])(.*)\1$/, '$2'))
    .filter((item) => item !== '')
}

/** The parts of `a,b`. */
export const partsIn = (text: string): string[] => text.split(/[,;]/).map((part) => part.trim())
