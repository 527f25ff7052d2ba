/** Log lines of the guard for the tests, as pino writes them. */

export const TIME = Date.UTC(2026, 10, 23, 12)

/** The fields of a rejection. */
export const rejection = (own: object = {}) => ({
  event: 'moengage.rejected',
  mode: 'reject',
  reason: 'not-listed',
  clientIp: '198.51.100.7',
  listedFor: [],
  policy: { dataCenters: ['DC-01'], channels: 'all' },
  route: '/hooks',
  suppressed: 0,
  ...own
})

/** A line with these fields of a rejection, and other fields of the line. */
export function line(own: object = {}, rest: object = {}): string {
  return JSON.stringify({
    level: 40,
    time: TIME,
    pid: 1,
    hostname: 'h',
    moengage: rejection(own),
    msg: 'x',
    ...rest
  })
}

/** A line with these fields of a summary. */
export function summary(own: object = {}, rest: object = {}): string {
  const counts = { suppressed: { reject: {}, tag: {} }, suppressedOf: [], verified: 0 }
  return JSON.stringify({
    level: 30,
    time: TIME,
    pid: 1,
    hostname: 'h',
    moengage: { event: 'moengage.summary', ...counts, ...own },
    msg: 'x',
    ...rest
  })
}
