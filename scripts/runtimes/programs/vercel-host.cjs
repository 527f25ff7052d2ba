// Runs one function as `vercel dev` does. Prints where it listens.
const { startDevServer } = require('@vercel/node')

const options = { workPath: __dirname, repoRootPath: __dirname, config: {}, files: {}, meta: {} }
startDevServer({ ...options, entrypoint: process.argv[2] }).then(({ port, pid }) => {
  process.once('SIGTERM', () => {
    process.kill(pid)
    process.exit()
  })
  console.log(`listening Vercel ${port}`)
})
