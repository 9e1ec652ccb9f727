// Our own client on this machine's sockets and clock: for tools that look at a cluster.
import { ClusterClient } from '@faultline/client'
import { SystemClock } from '../system-clock.ts'
import { SocketDialer } from './dialer.ts'

/** A broker that is silent for so long is named instead of waited for. */
const REQUEST_TIMEOUT_MS = 2000

/** `addresses`: "localhost:9092". */
export function socketClient(addresses: readonly string[], clientId: string): ClusterClient {
  const bootstrap = addresses.map((address) => {
    const colon = address.lastIndexOf(':')
    return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) }
  })
  const clock = new SystemClock()
  return new ClusterClient({ bootstrap, clientId, dialer: new SocketDialer(), clock, requestTimeoutMs: REQUEST_TIMEOUT_MS })
}
