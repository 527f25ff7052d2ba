import { parseListHop } from '../client-ip/hops.js'
import { type Incoming, UNIX_PEER } from '../client-ip/incoming.js'
import { ParsedAddress } from '../ip/address.js'
import { ERROR_TEXTS, type Failure, failureBody } from './failure.js'

/** What is read of an event of API Gateway, a function URL or an Application Load Balancer. */
export interface LambdaEvent {
  /** `'1.0'` or `'2.0'`; events of REST APIs and load balancers have none. */
  readonly version?: string | undefined
  /** The method, in payload 1.0 and behind a load balancer. */
  readonly httpMethod?: string | undefined
  /** The request's headers. */
  readonly headers?: { readonly [name: string]: string | undefined } | null | undefined
  /** The request's headers with all of their lines. */
  readonly multiValueHeaders?: { readonly [name: string]: readonly string[] | undefined } | null | undefined
  /** What AWS itself writes about the request. */
  readonly requestContext: object
}

/** An answer in the form that the server in front of the function wants. */
export interface LambdaAnswer {
  /** The status. */
  readonly statusCode: number
  /** The status and its text; behind a load balancer. */
  readonly statusDescription?: string
  /** The headers; where the load balancer does not want them as lists. */
  readonly headers?: Record<string, string>
  /** The headers, for a load balancer with multi-value headers. */
  readonly multiValueHeaders?: Record<string, string[]>
  /** The body. */
  readonly body: string
  /** Whether the body is base64. */
  readonly isBase64Encoded: boolean
}

/** A request that came as an event. */
export interface LambdaRequest {
  readonly incoming: Incoming
  readonly method: string | null
  readonly requestId: string | null
  /** The route of API Gateway: `/hooks/{id}` or `POST /hooks`; null behind a load balancer. */
  readonly route: string | null
  /** What a rejected sender is answered with. */
  readonly answer: (failure: Failure) => LambdaAnswer
}

/** What is said where AWS wrote no address into an event. */
export const NO_LAMBDA_PEER =
  "AWS wrote no address into this event. An Application Load Balancer's own health check has none: answer it before the guard. If other " +
  'requests have none either, the attribute routing.http.xff_header_processing.mode must be append.'

/** The header to which a load balancer appends the address that connected to it. */
const BALANCER_HEADER = 'x-forwarded-for'

type Fields = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null
/** What a value has itself: nothing that a polluted `Object.prototype` has counts as written by AWS. */
const fieldsOf = (value: unknown): Fields => Object.assign(Object.create(null), isObject(value) ? value : {})
const textOf = (value: unknown) => (typeof value === 'string' && value !== '' ? value : null)

/**
 * Reads an event by what AWS itself writes for its kind. Exactly one kind must fit; an event with a `type` is for an authorizer,
 * which answers with a policy.
 *
 * @returns undefined where the event is of no kind that is known here
 */
export function readLambdaEvent(made: unknown): LambdaRequest | undefined {
  const event = fieldsOf(made)
  if (!isObject(event.requestContext) || 'type' in event) return undefined
  const context = fieldsOf(event.requestContext)
  const readers = [
    isObject(context.elb) && typeof event.httpMethod === 'string' && readBalancer,
    isObject(context.http) && event.version === '2.0' && readPayload2,
    isObject(context.identity) && typeof event.httpMethod === 'string' && readPayload1
  ].filter((reader) => reader !== false)
  return readers.length === 1 ? readers[0]!(event, context) : undefined
}

function readPayload1(event: Fields, context: Fields): LambdaRequest {
  return {
    incoming: incomingOf(fieldsOf(context.identity).sourceIp, headersOf(event)),
    method: textOf(event.httpMethod),
    requestId: textOf(context.requestId),
    route: textOf(event.resource),
    answer: answerTo(event)
  }
}

function readPayload2(event: Fields, context: Fields): LambdaRequest {
  const { sourceIp, method } = fieldsOf(context.http)
  return {
    incoming: incomingOf(sourceIp, headersOf(event)),
    method: textOf(method),
    requestId: textOf(context.requestId),
    route: textOf(event.routeKey),
    answer: answerTo({ httpMethod: method })
  }
}

function readBalancer(event: Fields): LambdaRequest {
  const headers = headersOf(event)
  const incoming = incomingOf(lastHop(headers[BALANCER_HEADER]), headers)
  return {
    incoming: { ...incoming, peerHeader: BALANCER_HEADER },
    method: textOf(event.httpMethod),
    requestId: headers['x-amzn-trace-id']?.at(-1) ?? null,
    route: null,
    answer(failure) {
      const { headers, ...answer } = answerTo(event)(failure)
      const lists = Object.fromEntries(Object.entries(headers!).map(([name, value]) => [name, [value]]))
      return {
        ...answer,
        // The load balancer wants a text also for a status that has none.
        statusDescription: `${failure.statusCode} ${ERROR_TEXTS[failure.statusCode] ?? 'Error'}`,
        ...(isObject(event.multiValueHeaders) ? { multiValueHeaders: lists } : { headers: headers! })
      }
    }
  }
}

/** The name of a peer that is no address must not come from an event. */
function incomingOf(sourceIp: unknown, headers: Incoming['headers']): Incoming {
  return { peer: sourceIp === UNIX_PEER ? null : textOf(sourceIp), headers, noPeer: NO_LAMBDA_PEER }
}

/** The rightmost hop, which the load balancer appends. */
function lastHop(lines: readonly string[] | undefined): string | null {
  const text = lines?.join() ?? ''
  const address = new ParsedAddress()
  parseListHop(text, text.length, address)
  return address.family === 0 ? null : address.toString()
}

/**
 * The lines of each header, in order, by its name in lower case: payload 1.0 keeps the spelling of the client. Of a name in two spellings
 * nobody knows which lines came last, so an empty one follows, by which the client is unresolved.
 */
function headersOf({ headers, multiValueHeaders }: Fields): Record<string, string[]> {
  const lines: Record<string, string[]> = Object.create(null)
  for (const [name, value] of Object.entries(fieldsOf(multiValueHeaders ?? headers))) {
    const texts = [value].flat().filter((text) => typeof text === 'string')
    const key = name.toLowerCase()
    lines[key] = lines[key] === undefined ? texts : [...lines[key], ...texts, '']
  }
  return lines
}

const answerTo =
  ({ httpMethod }: Fields) =>
  (failure: Failure): LambdaAnswer => ({
    statusCode: failure.statusCode,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: httpMethod === 'HEAD' ? '' : failureBody(failure),
    isBase64Encoded: false
  })
