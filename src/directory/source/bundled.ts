import { directory } from '../directory.js'
import type { OpenSource } from './source.js'

/** The snapshot that is part of this package. */
export const BUNDLED: OpenSource = {
  name: 'bundled snapshot',
  timeout: 5_000,
  interval: undefined,
  load: () => directory
}
