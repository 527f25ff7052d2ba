import type { Problem, ProblemCode } from '../errors.js'
import { fixFor } from './promise.js'
import { bounded } from './text.js'

/** How one option is read. */
export interface OptionRule<T> {
  /** The value where the option is left out. */
  readonly fallback: T
  /** Reads a value that is given. Returns undefined where it refuses the value. */
  readonly read: (option: Option) => T | undefined
  /** A value that is accepted, as it is written in code. */
  readonly example: string
  /** What to write where the option is missing and may not be. */
  readonly required?: string
  /** Names by which people know it from other libraries. */
  readonly aliases?: readonly string[]
  /** The options inside of it. */
  readonly group?: OptionGroup
  /** Whether no part of its value may be shown. */
  readonly isSecret?: true
  /** Whether it decides whom to trust: no misspelled name of another place is taken for it. */
  readonly decidesTrust?: true
}

/** The options inside of an option. */
export interface OptionGroup {
  readonly table: OptionTable
  /**
   * The names that have to stand beside one of the group, which was written elsewhere; undefined where it has no place in what is there.
   *
   * @param given what the option is set to
   * @param isAtTop whether it was written at the top level, and not in another group
   */
  readonly beside: (name: string, given: unknown, isAtTop: boolean) => readonly string[] | undefined
}

/** All options of one group, by name: readers, the check of names, advice and the documentation test read from it. */
export type OptionTable = Readonly<Record<string, OptionRule<unknown>>>

/** The values of a table's options. */
export type OptionValues<Table> = {
  -readonly [Name in keyof Table]: Table[Name] extends OptionRule<infer T> ? T : never
}

/** Mistakes and warnings, collected so that all of them are reported at once. */
export class Findings {
  readonly mistakes: Problem[] = []
  readonly warnings: Problem[] = []
}

/** What surrounds an option. */
export interface Scope {
  /** The path of the group; empty at the top. */
  readonly path: string
  readonly findings: Findings
  /** The outermost options, to which one at a wrong place may belong. */
  readonly top: { readonly table: OptionTable; readonly options: object }
  /** Names that are options of something else, with what to do. */
  readonly foreign: Readonly<Record<string, string>>
}

/** One option: its value and its place. */
export class Option {
  readonly path: string
  readonly value: unknown
  readonly scope: Scope
  readonly #isSecret: boolean

  constructor(path: string, value: unknown, scope: Scope, isSecret = false) {
    this.path = path
    this.value = value
    this.scope = scope
    this.#isSecret = isSecret
  }

  /** Reports a mistake. */
  refuse(message: string, fix: string, code: ProblemCode = 'MOE_ERR_OPTION_VALUE'): undefined {
    this.scope.findings.mistakes.push(this.#problem(code, message, fixFor(this.value, fix)))
  }

  /** Reports something that is allowed, and probably not intended. */
  warn(code: ProblemCode, message: string, fix: string): void {
    this.scope.findings.warnings.push(this.#problem(code, message, fix))
  }

  #problem(code: ProblemCode, message: string, fix: string): Problem {
    return { code, path: this.path, value: this.#isSecret ? '…' : bounded(this.value), message, fix }
  }

  /** The items of a list, each as an option of its own; an empty place is undefined. */
  items(list: readonly unknown[]): Option[] {
    return Array.from(list, (value, i) => new Option(`${this.path}[${i}]`, value, this.scope, this.#isSecret))
  }

  /** Reads another value at this place without a report, and returns the mistakes. */
  attempt(value: unknown, read: (option: Option) => unknown): readonly Problem[] {
    const findings = new Findings()
    read(new Option(this.path, value, { ...this.scope, findings }))
    return findings.mistakes
  }
}

/** Whether an object or its class has a property. A property that was added to all objects is nobody's. */
export function hasProperty(object: object, name: string): boolean {
  let holder = object
  while (!Object.hasOwn(holder, name)) {
    const next: object | null = Object.getPrototypeOf(holder)
    if (next === null || Object.getPrototypeOf(next) === null) return false
    holder = next
  }
  return true
}

/** A property of an object or of its class; see {@link hasProperty}. */
export function propertyOf(object: object, name: string): unknown {
  return hasProperty(object, name) ? (object as Record<string, unknown>)[name] : undefined
}
