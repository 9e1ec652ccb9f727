// The control API over HTTP, for the command line and any language. On this machine alone it is open; elsewhere it asks for the token.
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { Refusal } from '@faultline/base'
import type { Containers } from '../fleet.ts'
import type { Supervisor } from '../supervisor.ts'
import { edgeRoutes } from './edge.ts'
import { eventRoutes } from './events.ts'
import { faultRoutes } from './faults.ts'
import { metricRoutes } from './metrics.ts'
import { nodeRoutes } from './nodes.ts'
import { OPENAPI } from './openapi.ts'

export interface ControlOptions {
  readonly host: string
  readonly port: number
  readonly token: string | null
  /** Called when the cluster was told to stop and has, and that was answered. */
  readonly onDown: () => void
}

/** The cluster. */
export interface ClusterInfo {
  readonly clusterId: string
  /** Where clients find it, "localhost:9092,…". */
  readonly bootstrap: string
  /** The same for clients that run where the director does. */
  readonly beside: string
  readonly pid: number
  readonly containers: Containers | null
}

export interface Served {
  readonly port: number
  readonly close: () => void
}

export function controlApp(supervisor: Supervisor, { token, onDown }: Pick<ControlOptions, 'token' | 'onDown'>): Hono {
  const app = new Hono()
  app.onError((error, c) => {
    if (!(error instanceof Refusal)) throw error
    const { code, message, advice } = error
    return c.json({ refused: { code, message, advice } }, code.startsWith('UNKNOWN_') ? 404 : 409)
  })
  app.notFound((c) =>
    c.json({ refused: { code: 'BAD_ARGUMENT', message: `there is no ${c.req.path}`, advice: 'see /openapi.json' } }, 404),
  )
  app.use('/v1/*', async (c, next) => {
    if (token === null || c.req.header('authorization') === `Bearer ${token}`) return next()
    const message = 'the control API asks for its token where others can reach it'
    return c.json({ refused: { code: 'BAD_ARGUMENT', message, advice: 'send it as: Authorization: Bearer TOKEN' } }, 401)
  })
  app.get('/openapi.json', (c) => c.json(OPENAPI))
  app.get('/v1', (c) => {
    const { clusterId, bootstrap, clientAddresses, containers } = supervisor.fleet
    const answer: ClusterInfo = { clusterId, bootstrap, beside: clientAddresses.join(), pid: process.pid, containers }
    return c.json(answer)
  })
  app.route('/v1', nodeRoutes(supervisor))
  app.route('/v1', metricRoutes(supervisor))
  app.route('/v1', faultRoutes(supervisor))
  app.route('/v1', eventRoutes(supervisor))
  app.route('/v1', edgeRoutes(supervisor))
  app.post('/v1/down', async (c) => {
    const { wipe = false } = (await c.req.json().catch(() => ({}))) as { wipe?: boolean }
    await supervisor.down(wipe)
    setImmediate(onDown)
    return c.json({ stopped: true })
  })
  return app
}

export function serveControl(supervisor: Supervisor, options: ControlOptions): Promise<Served> {
  const { host: hostname, port } = options
  const app = controlApp(supervisor, options)
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname, port }, (info) =>
      resolve({ port: info.port, close: () => server.close() }),
    )
    server.once('error', reject)
  })
}
