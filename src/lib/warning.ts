/** Reports what no logger can report: as a warning of the process, or on the console of a runtime without processes. */
export function emitWarning(message: string, options?: { readonly code: string; readonly detail: string }): void {
  const { process } = globalThis as { process?: Partial<Pick<NodeJS.Process, 'emitWarning'>> }
  if (process?.emitWarning === undefined) console.warn(message)
  else process.emitWarning(message, options)
}
