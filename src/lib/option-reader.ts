import { OptionsError } from '../errors.js'
import { Findings, Option, type OptionTable, type OptionValues, propertyOf, type Scope } from './option.js'
import { unknownOption } from './option-advice.js'
import { AWAIT_FIX, drop, isWholePromise } from './promise.js'
import { shown } from './text.js'

/** What an object of a class has besides options. */
export interface OwnFields {
  /** Whether a name is none of an option, but of something that the object needs itself. */
  has(name: string): boolean
  /** What to do where a name is one of the object's own, although it looks like that of an option. */
  fixFor(name: string): string
}

/** Reads the options of one group by their table. */
export class OptionReader<Table extends OptionTable> {
  readonly findings: Findings
  readonly #table: Table
  readonly #options: object
  readonly #scope: Scope

  private constructor(table: Table, options: object, scope: Scope) {
    this.findings = scope.findings
    this.#table = table
    this.#options = options
    this.#scope = scope
  }

  /**
   * Opens the outermost options, whose names are still to be checked.
   *
   * @param fix what to do where something else was passed
   * @param foreign names that are options of something else, each with what to do
   * @throws OptionsError (`MOE_ERR_OPTIONS`) where they are not an object with options
   */
  static open<Table extends OptionTable>(
    table: Table,
    options: unknown,
    fix: string,
    foreign: Readonly<Record<string, string>> = {}
  ): OptionReader<Table> {
    const scope = { path: '', findings: new Findings(), top: { table, options: options as object }, foreign }
    const refusal = notOptions(options, table)
    if (refusal !== undefined) {
      new Option('', options, scope).refuse(refusal, fix)
      throw new OptionsError(scope.findings.mistakes)
    }
    return new OptionReader(table, options as object, scope)
  }

  /**
   * Opens the options inside of an option, whose value is an object, and checks their names.
   *
   * @param others options of another kind of object, which may be there as undefined: that is left out
   * @param fields tells names of options from those of what the object needs itself
   */
  static inside<Table extends OptionTable>(
    table: Table,
    { value, path, scope }: Option,
    others: OptionTable = {},
    fields?: OwnFields
  ): OptionReader<Table> {
    const reader = new OptionReader(table, value as object, { ...scope, path })
    reader.checkNames(others, fields)
    return reader
  }

  /** Refuses names that the table does not have: a misspelled option would otherwise be ignored without a word. */
  checkNames(others: OptionTable = {}, fields?: OwnFields): void {
    for (const name of Object.keys(this.#options)) {
      const value = propertyOf(this.#options, name)
      if (Object.hasOwn(this.#table, name) || (value === undefined && Object.hasOwn(others, name))) continue
      if (fields?.has(name)) continue
      drop([value])
      const problem = unknownOption(name, value, this.#table, this.#scope)
      const fix = fields === undefined ? problem.fix : `${problem.fix} ${fields.fixFor(problem.value as string)}`
      this.findings.mistakes.push({ ...problem, fix })
    }
  }

  /**
   * Reads one option.
   *
   * @param fallback the value where the option is left out or refused, if it is not that of the table
   */
  read<Name extends keyof Table & string>(
    name: Name,
    fallback = this.#table[name]!.fallback as OptionValues<Table>[Name]
  ): OptionValues<Table>[Name] {
    const rule = this.#table[name]!
    const value = propertyOf(this.#options, name)
    const option = this.optionAt(name, value)
    if (value === undefined) {
      if (rule.required !== undefined) option.refuse('It is missing.', rule.required)
      return fallback
    }
    // No rule takes one: a text would be made of it, or a group of options be read from it.
    if (isWholePromise(value)) {
      option.refuse(`${shown(value)} is not a value.`, AWAIT_FIX)
      return fallback
    }
    const { mistakes } = this.findings
    const before = mistakes.length
    const result = rule.read(option) as OptionValues<Table>[Name] | null | undefined
    if (result !== undefined && result !== null) return result
    // A rule that takes any value takes null, too, and null would then count as left out.
    if (mistakes.length === before) {
      option.refuse(`${shown(value)} is not a value.`, rule.required ?? `Write ${rule.example}, or leave it out.`)
    }
    return fallback
  }

  /** The place of an option, with a value that may be the default. */
  optionAt(name: keyof Table & string, value: unknown): Option {
    const { path } = this.#scope
    return new Option(path === '' ? name : `${path}.${name}`, value, this.#scope, this.#table[name]!.isSecret)
  }

  /** Reads all options of the table. */
  readAll(): OptionValues<Table> {
    const values = Object.keys(this.#table).map((name) => [name, this.read(name)])
    return Object.fromEntries(values) as OptionValues<Table>
  }

  /** @throws OptionsError (`MOE_ERR_OPTIONS`) with the mistakes that were found so far */
  throwMistakes(): void {
    const { mistakes } = this.findings
    if (mistakes.length > 0) throw new OptionsError(mistakes)
  }
}

/** Why something cannot be options at all; undefined where it can. */
function notOptions(value: unknown, table: OptionTable): string | undefined {
  if (value === undefined || value === null) return 'There are no options.'
  if (isWholePromise(value)) return 'A promise was passed instead of options.'
  const isObject = typeof value === 'object' && !Array.isArray(value)
  if (isObject && (Object.getPrototypeOf(value) === Object.prototype || hasOption(value, table))) return undefined
  return `${shown(value)} was passed instead of options.`
}

/**
 * An object of a class may hold options. A framework's request or response does not, though it may have a property of that name among
 * many others: it was passed to what should have been called before.
 */
function hasOption(value: object, table: OptionTable): boolean {
  const names = Object.keys(table)
  const required = names.filter((name) => table[name]!.required !== undefined)
  const hasOne = (required.length > 0 ? required : names).some((name) => propertyOf(value, name) !== undefined)
  const others = Object.keys(value).filter((name) => !names.includes(name))
  return hasOne && (required.length > 0 || others.length <= names.length)
}
