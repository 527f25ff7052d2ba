/** A logger that writes nothing. */
export const SILENT = Object.fromEntries(
  ['fatal', 'error', 'warn', 'info', 'debug', 'trace'].map((level) => [level, () => {}])
)

/**
 * Judges the rows of the table of verdicts, each by a guard of its own.
 *
 * @param check makes a guard from options and lets it check a request
 */
export async function judge(rows, check) {
  const answers = []
  for (const { peer, headers, options } of rows) {
    const request = new Request('http://localhost/')
    for (const [name, value] of headers) request.headers.append(name, value)
    const { response, verdict } = await check({ ...options, logger: SILENT }, request, peer)
    answers.push({ status: response?.status ?? 200, body: response && (await response.json()), verdict })
  }
  return answers
}
