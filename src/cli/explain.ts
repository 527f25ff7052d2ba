import { Command } from 'commander'
import type { Io } from './io.js'

export function explainCommand(_io: Io): Command {
  return new Command('explain')
}
