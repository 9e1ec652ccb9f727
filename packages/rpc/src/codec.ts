// Encoders and decoders for the messages of proto/*.proto: protobufjs decodes, from the compiled descriptors; prepared-message.ts encodes.
import { type OutgoingMessage, PeerError } from '@faultline/base'
import protobuf from 'protobufjs/light.js'
import { layoutOf, PreparedMessage } from './prepared-message.ts'
import { DESCRIPTORS, type MessageTypes } from './generated/messages.ts'

// int64 stays a number: offsets and epochs are safe integers here, as everywhere inside.
;(protobuf.util as { Long: unknown }).Long = undefined
protobuf.configure()

const root = protobuf.Root.fromJSON(DESCRIPTORS as unknown as protobuf.INamespace)

// Bytes that were not sent are no bytes; protobufjs would give an empty array.
const NO_BYTES = new Uint8Array(0)
for (const type of (root.resolveAll().lookup('faultline') as protobuf.Namespace).nestedArray) {
  if (!(type instanceof protobuf.Type)) continue
  for (const field of type.fieldsArray) if (field.type === 'bytes' && !field.repeated) field.defaultValue = NO_BYTES
}

export type MessageName = keyof MessageTypes

/** What encode takes: a field left out is sent as its proto3 default (0, '', false, empty). */
export type MessageInput<T> = {
  [K in keyof T]?: T[K] extends readonly (infer E)[] ? (E extends Uint8Array ? readonly E[] : readonly MessageInput<E>[]) : T[K]
}

export interface MessageCodec<T> {
  encode(value: MessageInput<T>): Uint8Array
  /** The same bytes, written later, where the transport wants them; `bytes` fields are read then. */
  prepare(value: MessageInput<T>): OutgoingMessage
  /** Bytes fields are views of `bytes`. Throws PeerError INTERNAL on bytes that are no such message. */
  decode(bytes: Uint8Array): T
}

export function messageCodec<N extends MessageName>(name: N): MessageCodec<MessageTypes[N]> {
  const type = root.lookupType(`faultline.${name}`)
  const layout = layoutOf(type)
  return {
    encode: (value) => {
      const message = new PreparedMessage(layout, value as object as Record<string, unknown>)
      const bytes = Buffer.allocUnsafe(message.byteLength)
      message.copyTo(bytes, 0)
      return bytes
    },
    prepare: (value) => new PreparedMessage(layout, value as object as Record<string, unknown>),
    decode: (bytes) => {
      try {
        return type.decode(bytes) as unknown as MessageTypes[N]
      } catch (error) {
        throw new PeerError('INTERNAL', `not a ${name}: ${(error as Error).message}`)
      }
    },
  }
}
