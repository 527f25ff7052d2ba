/**
 * A text as a message shows it: in quotes, cut where it is long, and what cannot be seen or is easily confused (a
 * no-break space, a NUL, a full-width digit) as its number.
 */
export function quoted(text: string): string {
  const cut = text.length > 60 ? `${text.slice(0, 60)}…` : text
  return `"${cut.replaceAll(/[^ -~…]/gu, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`)}"`
}

/** A text of several lines in which every control, format and separator character is shown as its number. */
export function visible(text: string): string {
  return text.replaceAll(/[^\P{C}\n]|[\p{Zl}\p{Zp}]/gu, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`)
}
