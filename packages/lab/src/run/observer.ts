// Our own client on real sockets; one is what a run looks at its cluster with: nothing of the load goes through it.
import { ClusterClient } from '@faultline/client'
import { SocketDialer, SystemClock } from '@faultline/node'

const REQUEST_TIMEOUT_MS = 2000

export function observerOf(bootstrap: string): ClusterClient {
  return clientOf(bootstrap, 'faultline-observer')
}

export function clientOf(bootstrap: string, clientId: string): ClusterClient {
  const endpoints = bootstrap.split(',').map((address) => {
    const colon = address.lastIndexOf(':')
    return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) }
  })
  return new ClusterClient({
    bootstrap: endpoints,
    clientId,
    dialer: new SocketDialer(),
    clock: new SystemClock(),
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
  })
}
