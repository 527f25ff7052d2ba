import { clientIpPart } from './client-ip/part.js'
import { endToEndPart } from './end-to-end/part.js'
import { fleetPart } from './fleet/part.js'
import { logReportPart } from './log-report/part.js'
import { matcherPart } from './matcher/part.js'
import { calibrate } from './measure/quiet.js'
import { reloadPart } from './reload/part.js'
import { SECTIONS, type Section, writeSection } from './report/document.js'
import { statusPagePart } from './status-page/part.js'

const PARTS: Record<Section, () => Promise<string>> = {
  matcher: matcherPart,
  'client-ip': clientIpPart,
  'end-to-end': endToEndPart,
  'status-page': statusPagePart,
  fleet: fleetPart,
  reload: reloadPart,
  'log-report': logReportPart
}

const wanted = process.argv.slice(2)
const unknown = wanted.find((name) => !SECTIONS.includes(name as Section))
if (unknown !== undefined) {
  console.error(`There is no part "${unknown}". Parts: ${SECTIONS.join(', ')}.`)
  process.exit(1)
}
await calibrate()
for (const section of SECTIONS) {
  if (wanted.length > 0 && !wanted.includes(section)) continue
  const start = performance.now()
  console.log(`${section} …`)
  const body = await PARTS[section]()
  writeSection(section, body)
  console.log(`${body}\n\n${section} took ${Math.round((performance.now() - start) / 1000)} s.\n`)
}
