import type { AddressInfo } from 'node:net'
import { APPS, type AppName } from './apps.js'

// The server side of the loopback comparison: all applications in one process, each on a port of its own. Tells its ports
// when it is ready, and the processor time it has used whenever it is asked.

const { apps, log } = JSON.parse(process.argv[2]!) as { apps: AppName[]; log: boolean }
const ports: number[] = []
for (const name of apps) {
  const server = await APPS[name].start(log)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ports.push((server.address() as AddressInfo).port)
}
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send!(user + system)
})
process.on('disconnect', () => process.exit())
process.send!(ports)
