import { Command } from 'commander'
import { directory } from '../directory/directory.js'
import type { Io } from './io.js'

export function listCommand(io: Io): Command {
  return new Command('list').description('print the addresses, as a matrix of data centers and channels').action(() => {
    for (const { prefix, grant } of directory.entries) {
      io.stdout.write(`${grant.dataCenter}\t${grant.channel}\t${prefix}\n`)
    }
  })
}
