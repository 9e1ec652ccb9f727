// Typed calls and handlers for each method of proto/*.proto, over the bytes that the transport port carries.
import type { OutgoingMessage, PeerError, PeerStream, PeerTransport, Plane } from '@faultline/base'
import { type MessageCodec, type MessageInput, messageCodec } from './codec.ts'
import { METHODS, type MessageTypes } from './generated/messages.ts'

type Methods = typeof METHODS
export type MethodName = keyof Methods
export type RequestTo<M extends MethodName> = MessageTypes[Methods[M]['request']]
export type ReplyFrom<M extends MethodName> = MessageTypes[Methods[M]['reply']]
type UnaryName = { [M in MethodName]: Methods[M]['streams'] extends false ? M : never }[MethodName]
type StreamName = Exclude<MethodName, UnaryName>

interface Method<Request, Reply> {
  readonly plane: Plane
  readonly path: string
  readonly request: MessageCodec<Request>
  readonly reply: MessageCodec<Reply>
}

const CODED = Object.fromEntries(
  Object.entries(METHODS).map(([name, m]) => [
    name,
    { plane: m.plane, path: m.path, request: messageCodec(m.request), reply: messageCodec(m.reply) },
  ]),
)

function method<M extends MethodName>(name: M): Method<RequestTo<M>, ReplyFrom<M>> {
  return CODED[name] as unknown as Method<RequestTo<M>, ReplyFrom<M>>
}

/** Rejects with PeerError when the peer gave no answer within `deadlineMs`. */
export async function call<M extends UnaryName>(
  transport: PeerTransport,
  node: number,
  name: M,
  request: MessageInput<RequestTo<M>>,
  deadlineMs: number,
): Promise<ReplyFrom<M>> {
  const m = method(name)
  return m.reply.decode(await transport.call({ node, plane: m.plane }, m.path, m.request.encode(request), deadlineMs))
}

export function serve<M extends UnaryName>(
  transport: PeerTransport,
  name: M,
  handler: (request: RequestTo<M>) => Promise<MessageInput<ReplyFrom<M>>> | MessageInput<ReplyFrom<M>>,
): void {
  const m = method(name)
  transport.serveCall(m.plane, m.path, async (body) => m.reply.encode(await handler(m.request.decode(body))))
}

/** A stream of typed messages; a peer that sends something else is cut off. */
export class MessageStream<In, Out> {
  onMessage: (message: In) => void = () => {}
  onDrain: () => void = () => {}
  onClose: (error: PeerError | undefined) => void = () => {}
  readonly #stream: PeerStream
  readonly #prepare: (value: MessageInput<Out>) => OutgoingMessage

  constructor(stream: PeerStream, incoming: MessageCodec<In>, outgoing: MessageCodec<Out>) {
    this.#stream = stream
    this.#prepare = outgoing.prepare
    stream.onMessage = (bytes) => {
      let message: In
      try {
        message = incoming.decode(bytes)
      } catch {
        return stream.close()
      }
      this.onMessage(message)
    }
    stream.onDrain = () => this.onDrain()
    stream.onClose = (error) => this.onClose(error)
  }

  send(message: MessageInput<Out>): boolean {
    return this.#stream.send(this.#prepare(message))
  }

  close(): void {
    this.#stream.close()
  }
}

export function openStream<M extends StreamName>(
  transport: PeerTransport,
  node: number,
  name: M,
): MessageStream<ReplyFrom<M>, RequestTo<M>> {
  const m = method(name)
  return new MessageStream(transport.openStream({ node, plane: m.plane }, m.path), m.reply, m.request)
}

export function serveStream<M extends StreamName>(
  transport: PeerTransport,
  name: M,
  handler: (stream: MessageStream<RequestTo<M>, ReplyFrom<M>>) => void,
): void {
  const m = method(name)
  transport.serveStream(m.plane, m.path, (stream) => handler(new MessageStream(stream, m.request, m.reply)))
}
