// Appends the bundled list to the history if it differs from the newest revision there. Expects a build.
import { readFileSync, writeFileSync } from 'node:fs'
import { append, formatHistory } from '../dist/src/directory/history.js'

const [list, history] = process.argv.slice(2)
const read = (file) => JSON.parse(readFileSync(file, 'utf8'))
const before = read(history)
const after = append(before, read(list))
if (after !== before) writeFileSync(history, formatHistory(after))
console.log(after === before ? 'No cell changed.' : `Appended revision ${after.at(-1).revision}.`)
