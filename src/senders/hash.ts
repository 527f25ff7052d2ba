/** Drawn once a process, so that nobody outside can choose addresses that fall together. */
const SEED = Math.floor(Math.random() * 0x1_0000_0000) | 0

/** A number in [0, 2³²) for a key: an address as its word, or a text. */
export function hash(key: number | string): number {
  let mixed = SEED
  if (typeof key === 'number') mixed ^= key
  else for (let i = 0; i < key.length; i++) mixed = Math.imul(mixed ^ key.charCodeAt(i), 0x01000193)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
