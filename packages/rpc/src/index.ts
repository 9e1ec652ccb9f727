// Messages between nodes: proto/*.proto as typed encoders and decoders, and clients and servers of its methods over the transport port.
export * from './codec.ts'
export * from './methods.ts'
export type * from './generated/messages.ts'
