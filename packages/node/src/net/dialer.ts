// Dials brokers as their clients do.
import { connect } from 'node:net'
import type { ByteStream, ClientDialer } from '@faultline/base'
import { SocketStream } from './socket-stream.ts'

export class SocketDialer implements ClientDialer {
  dial(host: string, port: number): ByteStream {
    return new SocketStream(connect(port, host))
  }
}
