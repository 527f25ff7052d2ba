/** No name that is suggested is longer, so a longer text is not near one. */
const MAX_LENGTH = 50

/** A shorter text is part of too much. */
const MIN_PART = 3

/**
 * The candidate that takes the fewest edits to reach from `text`, if these are few enough for a slip of the keyboard; else
 * the only one that `text` is a part of.
 */
export function nearest(text: string, candidates: readonly string[]): string | undefined {
  if (text.length > MAX_LENGTH) return undefined
  let best: string | undefined
  let fewest = Math.ceil(text.length / 3) + 1
  for (const candidate of candidates) {
    const edits = editDistance(text.toLowerCase(), candidate.toLowerCase())
    if (edits < fewest) {
      best = candidate
      fewest = edits
    }
  }
  const part = text.toLowerCase()
  const wholes = best === undefined ? candidates.filter((candidate) => candidate.toLowerCase().includes(part)) : []
  return wholes.length === 1 && text.length >= MIN_PART ? wholes[0] : best
}

/** "Did you mean …?" with the nearest candidate, or the list of all. */
export function suggestion(text: string, candidates: readonly string[]): string {
  const near = nearest(text, candidates)
  return near === undefined ? `Use one of: ${candidates.join(', ')}.` : `Did you mean "${near}"?`
}

/** Levenshtein distance, row by row. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
