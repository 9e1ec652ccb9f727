// npm run bench:edge: what the record at the brokers' edge costs while it is on: processor time of a broker for a Produce of ten records, and how much
// goes into a cluster. What it costs while it is off is part of bench:faults.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundle, costOf } from './produce-cost.mjs'
import { compare } from './throughput.mjs'

const PAIRS = 9
const broker = await bundle('edge')
const runs = Array.from({ length: PAIRS }, () => ({ off: costOf(broker), on: costOf(broker, 'record') }))
const median = (kind) => runs.map((run) => run[kind]).sort((a, b) => a - b)[PAIRS >> 1]
console.log(
  `a Produce of ten records: ${median('off').toFixed(1)} us of CPU without a record, ${median('on').toFixed(1)} us with it`,
)

async function record(folder) {
  const { api } = JSON.parse(readFileSync(join(folder, 'supervisor.json'), 'utf8'))
  await fetch(`${api}/v1/edge`, { method: 'POST' })
}

await compare({ unrecorded: {}, recorded: { prepare: record } })
