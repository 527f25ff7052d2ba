import type { AddressInfo } from 'node:net'
import { APPS, type AppName } from './apps.js'

// The server side of the loopback comparison: one application on a port of its own. Sends its port when it is ready, and the processor
// time it has used whenever it is asked.

const server = await APPS[process.argv[2] as AppName].start(false)
// The client's connections wait while other applications answer.
server.keepAliveTimeout = 0
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send!(user + system)
})
process.on('disconnect', () => process.exit())
process.send!((server.address() as AddressInfo).port)
