// Every partition has all its replicas in sync again, so long after the last heal.
import { type Expectation, seconds } from './expectation.ts'

export const isrFull: Expectation<'isrFull'> = {
  expectation: 'isrFull',
  judge(limit, { healedAt, isrFullAt, events, brokenAt, experiment }) {
    const topics = new Set(experiment.topics.map((t) => t.name))
    const shrank = events.some((e) => {
      const { isr, replicas } = e as { isr?: unknown; replicas?: unknown }
      if (e.event !== 'partition.change' || e.t < brokenAt || !topics.has(String(e['topic']))) return false
      return Array.isArray(isr) && Array.isArray(replicas) && isr.length < replicas.length
    })
    const took = isrFullAt === undefined ? undefined : isrFullAt - healedAt
    const status = took === undefined || took > limit ? 'broken' : shrank ? 'met' : 'untested'
    const found = took === undefined ? 'not full when the run ended' : shrank ? seconds(took) : 'no ISR had shrunk'
    return { status, limit: `within ${seconds(limit)}`, found, examples: [] }
  },
}
