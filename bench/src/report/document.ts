import { readFileSync, writeFileSync } from 'node:fs'

const DOCUMENT = new URL('../../../docs/benchmarks.md', import.meta.url)

/** The sections of the document, in order, each between markers of its own. */
export const SECTIONS = ['matcher', 'client-ip', 'end-to-end', 'status-page', 'fleet', 'reload', 'log-report'] as const
export type Section = (typeof SECTIONS)[number]

const HEAD = `# Benchmarks

Written by \`npm run bench\`; \`npm run bench -- matcher\`, \`client-ip\`, \`end-to-end\`, \`status-page\`, \`fleet\`, \`reload\` or \`log-report\` replaces its own section. What
counts are the ratios: everything that is compared was measured in turns within one run, and nanoseconds are only good on the
machine that they were measured on. A number is the median, in brackets are the quartiles. \`npm run bench:check\` guards
the ratios and the allocations that cannot be noise.
`

/** Replaces one section of docs/benchmarks.md and leaves the others, and what stands after the last one, as they are. */
export function writeSection(section: Section, body: string): void {
  const old = readFileSync(DOCUMENT, 'utf8')
  const bodies = SECTIONS.map((name) => wrapped(name, name === section ? body.trim() : bodyOf(old, name)))
  const rest = old.slice(Math.max(...SECTIONS.map((name) => old.lastIndexOf(end(name)) + end(name).length + 1)))
  writeFileSync(DOCUMENT, [HEAD, ...bodies.filter((text) => text !== ''), rest.trimStart()].join('\n'))
}

const start = (section: Section) => `<!-- bench:${section} -->`
const end = (section: Section) => `<!-- /bench:${section} -->`

function wrapped(section: Section, body: string): string {
  return body === '' ? '' : `${start(section)}\n\n${body}\n\n${end(section)}\n`
}

function bodyOf(text: string, section: Section): string {
  const from = text.indexOf(start(section))
  const to = text.indexOf(end(section))
  return from < 0 || to < 0 ? '' : text.slice(from + start(section).length, to).trim()
}
