// The cluster's events as server-sent events: those that are kept, then those that come. Last-Event-ID goes on where a client stopped.
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { ClusterEvent } from '../events/cluster-events.ts'
import type { Supervisor } from '../supervisor.ts'

export function eventRoutes({ events }: Supervisor): Hono {
  const app = new Hono()
  app.get('/events', (c) => {
    const after = Number(c.req.header('last-event-id') ?? c.req.query('after') ?? 0)
    return streamSSE(c, async (stream) => {
      const waiting: ClusterEvent[] = []
      let wake = () => {}
      const stop = events.listen(Number.isFinite(after) ? after : 0, (event) => {
        waiting.push(event)
        wake()
      })
      stream.onAbort(() => {
        stop()
        wake()
      })
      while (!stream.aborted) {
        const event = waiting.shift()
        if (event) await stream.writeSSE({ id: String(event.seq), event: event.event, data: JSON.stringify(event) })
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    })
  })
  return app
}
