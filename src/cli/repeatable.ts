import { type Command, Option } from 'commander'

/** An option that may be given several times, each with a value of its own. */
export class RepeatableOption extends Option {}

/** Gathers the texts of an option that is repeated. */
export const collected = (text: string, before: string[] = []): string[] => [...before, text]

/** Refuses a second value of an option that takes one, in a command and those below it: commander takes the last without a word. */
export function refuseSecondValues(command: Command): void {
  for (const inner of command.commands) refuseSecondValues(inner)
  for (const option of command.options) {
    if (option.isBoolean() || option.variadic || option instanceof RepeatableOption) continue
    let isGiven = false
    command.on(`option:${option.name()}`, () => {
      if (isGiven) {
        command.error(
          `error: option '${option.flags}' is given twice, and takes one value. Leave one out, or run the command for each.`
        )
      }
      isGiven = true
    })
  }
}
