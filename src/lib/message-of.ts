/** The message of an error; `fetch` hides what happened behind "fetch failed", and an address that refuses behind no words. */
export function messageOf({ message, cause }: Error): string {
  return cause instanceof Error ? `${message}: ${cause.message || (cause as NodeJS.ErrnoException).code}` : message
}
