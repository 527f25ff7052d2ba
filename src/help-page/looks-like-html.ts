/** Comments and white space, which may stand before either. */
const LEADING = /^(?:\ufeff|\s+|<\?xml[^>]*>|<!--.*?-->)/s

/** Whether a page is HTML: a document, or a part of one that holds a table and no Markdown of its own. */
export function looksLikeHtml(text: string): boolean {
  let rest = text
  for (let match = LEADING.exec(rest); match !== null; match = LEADING.exec(rest)) rest = rest.slice(match[0].length)
  if (/^<(?:!doctype\s+html|html|head|body)\b/i.test(rest)) return true
  return /^<[a-z]/.test(rest) && /<\/table\s*>/i.test(rest) && !/^ {0,3}(?:#{1,6} |\|?[ \t]*:?-{3,})/m.test(rest)
}
