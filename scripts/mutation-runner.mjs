// Stryker's runner of tap files, in another order: first the file that noticed the last mutant of the same source file, since most
// mutants of a file are noticed by the same test; then the others, the quickest first.
import { declareFactoryPlugin, PluginKind } from '@stryker-mutator/api/plugin'
import { strykerPlugins as originals, strykerValidationSchema, TapTestRunner } from '@stryker-mutator/tap-runner'

class QuickestFirstRunner extends TapTestRunner {
  /** For each source file, the test files that noticed a mutant of it, the last one first. */
  #noticed = new Map()
  /** The longest run of each test file so far, in milliseconds. */
  #times = new Map()

  async mutantRun(options) {
    const { fileName } = options.activeMutant
    const noticed = this.#noticed.get(fileName) ?? []
    const timeOf = (file) => this.#times.get(file) ?? 0
    const covering = [...(options.testFilter ?? this.testFiles)].sort((a, b) => timeOf(a) - timeOf(b))
    const testFilter = [...new Set([...noticed.filter((file) => covering.includes(file)), ...covering])]
    const result = await super.mutantRun({ ...options, testFilter })
    this.#noticed.set(fileName, [...new Set([...(result.killedBy ?? []), ...noticed])])
    return result
  }

  async runFile(file, options) {
    const start = performance.now()
    try {
      return await super.runFile(file, options)
    } finally {
      this.#times.set(file, Math.max(this.#times.get(file) ?? 0, performance.now() - start))
    }
  }
}

function createRunner(injector) {
  return injector.provideValue('globalNamespace', '__stryker__').injectClass(QuickestFirstRunner)
}
createRunner.inject = originals[0].factory.inject

export const strykerPlugins = [declareFactoryPlugin(PluginKind.TestRunner, 'tap', createRunner)]
export { strykerValidationSchema }
