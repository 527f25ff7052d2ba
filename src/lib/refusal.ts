import { OptionsError } from '../errors.js'
import { fixFor } from './promise.js'
import { shown } from './text.js'

/** An argument of a call that is wrong, whatever the request: a program that passes it is to be changed. */
export function refusal(path: string, value: unknown, what: string, fix: string): OptionsError {
  const message = `${shown(value)} ${what}.`
  return new OptionsError([
    { code: 'MOE_ERR_OPTION_VALUE', path, value: shown(value), message, fix: fixFor(value, fix) }
  ])
}
