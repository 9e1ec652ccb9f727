// Nodes: who is there, in what state; and what can be done to one.
import { Hono } from 'hono'
import { Refusal } from '@faultline/base'
import { PROCESS_VERBS, type ProcessVerb } from '../fleet.ts'
import type { Supervisor } from '../supervisor.ts'

export function nodeRoutes({ fleet }: Supervisor): Hono {
  const app = new Hono()
  app.get('/nodes', async (c) => c.json(await fleet.views()))
  app.get('/status', async (c) => c.json(await fleet.reports()))
  app.get('/nodes/:node', async (c) => {
    const node = await fleet.resolve(c.req.param('node'))
    return c.json(await fleet.view(node))
  })
  app.post('/nodes/:node/:verb', async (c) => {
    const verb = c.req.param('verb') as ProcessVerb
    if (!PROCESS_VERBS.includes(verb))
      throw new Refusal('BAD_ARGUMENT', `"${verb}" cannot be done to a node`, `use one of ${PROCESS_VERBS.join(', ')}`)
    const node = await fleet.resolve(c.req.param('node'))
    await fleet.act(verb, node)
    return c.json(await fleet.view(node))
  })
  return app
}
