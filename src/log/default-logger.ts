import { consoleLogger } from './console-logger.js'
import { type LineLevel, type Logger, methodsByLevel } from './logger.js'

/**
 * A pino logger on standard output, for servers that bring no logger. Pino is loaded only then; where that fails, in a bundle that
 * cannot require modules of Node or under Deno without its permissions, the console gets the same lines.
 */
export function defaultLogger(): Logger {
  let logger: Logger | undefined
  const loading = import('pino')
    .then(({ default: pino }): Logger => pino({ name: 'moengage-allowlist' }))
    .catch(consoleLogger)
    .then((made) => {
      logger = made
      return made
    })
  const method = (level: LineLevel) => (fields: object, message: string) =>
    logger === undefined ? loading.then((loaded) => loaded[level](fields, message)) : logger[level](fields, message)
  return methodsByLevel(method)
}
