import { Command } from 'commander'
import type { Io } from './io.js'

export function diffCommand(_io: Io): Command {
  return new Command('diff')
}
