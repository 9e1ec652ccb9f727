// Metrics of all nodes by way of their management planes, which no fault cuts; and what Prometheus is to ask for (http_sd_configs).
import { Hono } from 'hono'
import { counter, gauge, type MetricFamily, Refusal } from '@faultline/base'
import { CONTENT_TYPE, exposition } from '@faultline/node'
import type { FaultView } from '../fault/fault-entry.ts'
import type { Supervisor } from '../supervisor.ts'

const DIRECTOR = 'director'

export function metricRoutes({ fleet, faults }: Supervisor): Hono {
  const app = new Hono()
  app.get('/nodes/:node/metrics', async (c) => {
    const { name } = await fleet.resolve(c.req.param('node'))
    const answer = await fleet.manage<{ readonly text: string }>(name, { verb: 'metrics' })
    if (!answer) throw new Refusal('NODE_FAILED', `${name} does not answer`, 'look at: npx faultline nodes')
    return c.body(answer.text, 200, { 'content-type': CONTENT_TYPE })
  })
  app.get('/metrics', async (c) => c.body(exposition(faultFamilies(await faults.list())), 200, { 'content-type': CONTENT_TYPE }))
  app.get('/targets', (c) => {
    const { host } = new URL(c.req.url)
    const target = (instance: string, role: string, path: string) => ({
      targets: [host],
      labels: { instance, role, __metrics_path__: path },
    })
    const nodes = fleet.nodes.map(({ name, address }) => target(name, address.role, `/v1/nodes/${name}/metrics`))
    return c.json([...nodes, target(DIRECTOR, DIRECTOR, '/v1/metrics')])
  })
  return app
}

function actsFromOutside({ family, kind }: FaultView): boolean {
  return family === 'link' || family === 'load' || (family === 'process' && !kind.endsWith('-at-point'))
}

/** Hits in nodes are counted by nodes: these are the ones of faults that act from outside. */
function faultFamilies(all: readonly FaultView[]): MetricFamily[] {
  const labelled = (faults: readonly FaultView[], value: (fault: FaultView) => number) =>
    faults.map((fault) => ({ labels: { fault: fault.id, family: fault.family, kind: fault.kind }, value: value(fault) }))
  const armed = all.filter((f) => f.state === 'armed')
  const outside = all.filter((f) => f.hits > 0 && actsFromOutside(f))
  return [
    gauge(
      'faultline_fault_armed',
      'A fault that is armed.',
      labelled(armed, () => 1),
    ),
    counter(
      'faultline_fault_hits_total',
      'How often a fault has hit from outside.',
      labelled(outside, (f) => f.hits),
    ),
  ]
}
