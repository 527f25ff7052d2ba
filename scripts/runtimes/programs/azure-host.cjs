// Plays the host and the worker of Azure Functions for one function: `@azure/functions` registers it here, and gets requests in the form in
// which the host sends them. Prints where it listens.
const { createServer } = require('node:http')
const Module = require('node:module')
const { pathToFileURL } = require('node:url')

let model
let registered
const core = {
  setProgrammingModel(made) {
    model = made
  },
  registerFunction(metadata, handler) {
    registered = { metadata, handler }
  },
  registerHook() {},
  log() {}
}
const load = Module._load
Module._load = (name, ...others) => (name === '@azure/functions-core' ? core : load(name, ...others))

async function invoke(method, url, headers) {
  const { metadata, handler } = registered
  const [trigger] = Object.entries(metadata.bindings).find(([, { type }]) => type === 'httpTrigger')
  const http = { method, url, headers, body: { bytes: Buffer.from('{}') } }
  const request = { inputData: [{ name: trigger, data: { http } }], triggerMetadata: {} }
  const invocation = model.getInvocationModel({ invocationId: '1', metadata, request, log() {} })
  const { context, inputs } = await invocation.getArguments()
  const { returnValue } = await invocation.getResponse(
    context,
    await invocation.invokeFunction(context, inputs, handler)
  )
  return returnValue.http
}

import(pathToFileURL(process.argv[2]).href).then(() => {
  const server = createServer(async ({ method, url, headers }, response) => {
    const { statusCode, headers: own, body } = await invoke(method, `https://a.azurewebsites.net${url}`, headers)
    response.writeHead(Number(statusCode), own).end(body.bytes)
  })
  server.listen(0, '127.0.0.1', () => console.log(`listening Azure ${server.address().port}`))
})
