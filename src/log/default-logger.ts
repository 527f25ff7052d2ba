import type { Logger, LogLevel } from './rejection-log.js'

/**
 * A pino logger on standard output, for servers that bring no logger. Pino is loaded only then; lines that come before it is
 * there are written as soon as it is.
 */
export function defaultLogger(): Logger {
  let logger: Logger | undefined
  const early: ((logger: Logger) => void)[] = []
  import('pino').then(({ default: pino }) => {
    logger = pino({ name: 'moengage-allowlist' })
    for (const write of early.splice(0)) write(logger)
  })
  const write = (method: Exclude<LogLevel, 'silent'>) => (fields: object, message: string) => {
    if (logger === undefined) early.push((loaded) => loaded[method](fields, message))
    else logger[method](fields, message)
  }
  return {
    fatal: write('fatal'),
    error: write('error'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
    trace: write('trace')
  }
}
