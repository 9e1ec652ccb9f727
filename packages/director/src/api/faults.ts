// Faults: what can be had, what is armed, and how it is healed.
import { Hono } from 'hono'
import { POINTS, SUBJECTS } from '@faultline/fault'
import { FAMILIES } from '../fault/families/index.ts'
import { bad } from '../fault/fault-request.ts'
import type { Supervisor } from '../supervisor.ts'

export function faultRoutes({ faults }: Supervisor): Hono {
  const app = new Hono()
  app.get('/faults', async (c) => c.json(await faults.list()))
  app.post('/faults', async (c) => {
    const request: unknown = await c.req.json().catch(() => {
      throw bad('the request is no JSON')
    })
    return c.json(await faults.add(request), 201)
  })
  app.get('/faults/:id', (c) => c.json(faults.get(c.req.param('id'))))
  app.delete('/faults/:id', async (c) => c.json(await faults.heal(c.req.param('id'))))
  app.delete('/faults', async (c) => c.json({ healed: await faults.healAll() }))
  app.get('/points', (c) => {
    const families = FAMILIES.map(({ family, kinds }) => ({ family, kinds }))
    const conditions = Object.entries(SUBJECTS).map(([subject, { key, fields, vantage }]) => ({
      subject,
      key,
      fields: Object.keys(fields),
      vantage,
    }))
    return c.json({ families, conditions, points: POINTS })
  })
  return app
}
