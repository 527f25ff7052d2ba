#!/usr/bin/env node
import { main } from './main.js'
import { redisClient } from './redis-client.js'

process.exitCode = await main(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  fetch,
  now: () => new Date(),
  redis: redisClient
})
