// Stryker's runner of tap files, with one difference: the file that noticed the last mutant of a source file runs first. Most mutants
// of a file are noticed by the same test, and the rest of the tests need not start.
import { declareFactoryPlugin, PluginKind } from '@stryker-mutator/api/plugin'
import { strykerPlugins as originals, strykerValidationSchema, TapTestRunner } from '@stryker-mutator/tap-runner'

class RecentFirstRunner extends TapTestRunner {
  /** For each source file, the test files that noticed a mutant of it, the last one first. */
  #noticed = new Map()

  async mutantRun(options) {
    const { fileName } = options.activeMutant
    const noticed = this.#noticed.get(fileName) ?? []
    const covering = options.testFilter ?? this.testFiles
    const testFilter = [...new Set([...noticed.filter((file) => covering.includes(file)), ...covering])]
    const result = await super.mutantRun({ ...options, testFilter })
    const killers = result.killedBy ?? []
    this.#noticed.set(fileName, [...new Set([...killers, ...noticed])])
    return result
  }
}

function createRunner(injector) {
  return injector.provideValue('globalNamespace', '__stryker__').injectClass(RecentFirstRunner)
}
createRunner.inject = originals[0].factory.inject

export const strykerPlugins = [declareFactoryPlugin(PluginKind.TestRunner, 'tap', createRunner)]
export { strykerValidationSchema }
