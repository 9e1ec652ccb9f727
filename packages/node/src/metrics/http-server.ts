// What a node shows of itself over HTTP: /metrics for Prometheus, /health for whoever asks whether it serves.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { MetricFamily } from '@faultline/base'
import { CONTENT_TYPE, exposition } from './exposition.ts'

export interface Health {
  readonly serves: boolean
  readonly state: string
  readonly [detail: string]: string | number | boolean
}

export interface ObservedNode {
  families(): readonly MetricFamily[]
  health(): Health
}

/** Rejects with the system's error (EADDRINUSE) when the port cannot be had. */
export async function serveHttp({ host, port }: { host: string; port: number }, node: ObservedNode): Promise<Server> {
  const server = createServer((request, response) => answer(request, response, node))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  server.on('error', () => {})
  return server
}

function answer({ method, url = '' }: IncomingMessage, response: ServerResponse, node: ObservedNode): void {
  const say = (status: number, type: string, text: string) => {
    response.writeHead(status, { 'content-type': type })
    response.end(method === 'HEAD' ? undefined : text)
  }
  if (method !== 'GET' && method !== 'HEAD') return say(405, 'text/plain', 'GET is all there is\n')
  switch (url.split('?', 1)[0]) {
    case '/metrics':
      return say(200, CONTENT_TYPE, exposition(node.families()))
    case '/health': {
      const health = node.health()
      return say(health.serves ? 200 : 503, 'application/json', `${JSON.stringify(health)}\n`)
    }
    default:
      return say(404, 'text/plain', '/metrics and /health are all there is\n')
  }
}
