/** Reads the `locals` blocks of a Terraform file that hold lists of objects of strings; throws on anything else. */
export function readLocals(text: string): Record<string, Record<string, string>[]> {
  const tokens = [
    ...text.replaceAll(/^#.*\n/gm, '').matchAll(/\s*("(?:[^"\\]|\\.)*"|[A-Za-z_]\w*|[{}[\],=]|\S)/gy)
  ].map(([, token]) => token!)
  let at = 0
  const take = (pattern: RegExp) => {
    const token = tokens[at++] ?? ''
    if (!pattern.test(token)) throw new Error(`${token} stands where ${pattern} belongs`)
    return token
  }
  const isNext = (token: string) => tokens[at] === token
  const locals: Record<string, Record<string, string>[]> = {}
  take(/^locals$/)
  take(/^\{$/)
  while (!isNext('}')) {
    const objects: Record<string, string>[] = []
    locals[take(/^\w+$/)] = objects
    take(/^=$/)
    take(/^\[$/)
    while (!isNext(']')) {
      const object: Record<string, string> = {}
      objects.push(object)
      take(/^\{$/)
      while (!isNext('}')) {
        const key = take(/^\w+$/)
        take(/^=$/)
        object[key] = readString(take(/^"/))
        if (!isNext('}')) take(/^,$/)
      }
      take(/^\}$/)
      if (!isNext(']')) take(/^,$/)
    }
    take(/^\]$/)
  }
  take(/^\}$/)
  if (at !== tokens.length) throw new Error(`${tokens[at]} stands behind the block`)
  return locals
}

/** A quoted template of HCL without interpolation. */
function readString(token: string): string {
  const inner = token.slice(1, -1)
  if (/[$%]\{/.test(inner.replaceAll(/\$\$\{|%%\{/g, '_'))) throw new Error(`${token} is a template`)
  return inner.replaceAll(/\\(["\\nrt])|\$\$\{|%%\{/g, (found, escaped) => {
    if (escaped === undefined) return found.slice(1)
    return { n: '\n', r: '\r', t: '\t' }[escaped as string] ?? escaped
  })
}
