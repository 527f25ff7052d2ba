/** An unsigned typed array that is just wide enough for its largest value. */
export type Values = Uint8Array | Uint16Array | Uint32Array

/** Copies numbers into the narrowest array that holds them: a long list stays in the processor's cache for longer. */
export function narrow(values: Uint32Array): Values {
  const largest = values.reduce((most, value) => Math.max(most, value), 0)
  if (largest < 0x100) return Uint8Array.from(values)
  return largest < 0x10000 ? Uint16Array.from(values) : values.slice()
}
