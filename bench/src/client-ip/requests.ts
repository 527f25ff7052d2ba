import { freshStrings } from '../matcher/traffic.js'
import { type Case, PEER } from './headers.js'
import type { Request } from './resolvers.js'

/** Hands out requests as Node makes them: a new headers object each, with a header text that nobody has read. */
export function freshRequests({ header, text }: Case): () => Request {
  const nextText = freshStrings([text])
  // One connection, so one text of the peer's address, as Node remembers it.
  const socket = { remoteAddress: PEER }
  return () => ({
    socket,
    headers: { host: 'hooks.example.com', 'content-type': 'application/json', [header]: nextText() }
  })
}
