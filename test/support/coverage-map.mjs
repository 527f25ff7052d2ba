import { readdirSync } from 'node:fs'

/**
 * What tap measures the coverage of: the sources, all of them, whoever tests them. Left to itself it would also count the
 * built files that example servers and the packed package run.
 */
const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => `src/${file.replaceAll('\\', '/')}`)

export default () => sources
