// A million operations, judged: each checker timed, and the most memory that the process has had. Exits with 1 when it is slower than 60 s of CPU time or larger
// than 2 GiB.
import { performance } from 'node:perf_hooks'
import { CHECKERS, Facts, History, identityOf, type Left, readExperiment } from '../packages/lab/src/index.ts'

const OPERATIONS = 1_000_000
const PARTITIONS = 12
const IN_ONE_TRANSACTION = 4
const LIMIT_S = 60
const LIMIT_BYTES = 2 * 1024 ** 3

const experiment = readExperiment(
  'bench.yaml',
  `name: bench
about: a million operations
topics: [{ name: t, partitions: ${PARTITIONS} }]
workload: [{ kind: mixed, topic: t }]
timeline: [{ at: 0s, kill: "broker:1" }]
expect: { lost: 0 }`,
)

/** A third each: sends, half of them in transactions; reads by consumers in transactions; what is there at the end. */
function history(): History {
  const made = new History()
  const [sequences, offsets] = [Array.from({ length: PARTITIONS }, () => 0), Array.from({ length: PARTITIONS }, () => 0)]
  const holds = sequences.map((_, p) => made.hold('r.0', 'g', 't', p, 0, 0).number)
  let [transaction, reading] = [made.beginTransaction('a.0', 0), made.beginTransaction('r.0', 0)]
  for (let i = 0; i < OPERATIONS / 3; i++) {
    const partition = i % PARTITIONS
    const isIn = Math.floor(i / IN_ONE_TRANSACTION) % 2 === 0
    if (isIn && i % IN_ONE_TRANSACTION === 0) {
      Object.assign(transaction, { outcome: 'ok', committing: i, ended: i })
      transaction = made.beginTransaction('a.0', i)
      reading = made.beginTransaction('r.0', i)
    }
    const send = made.begin('a.0', 't', partition, sequences[partition]!++, i, isIn ? transaction : undefined)
    const offset = offsets[partition]!++
    Object.assign(send, { outcome: 'ok', ended: i + 1, offset })
    const read = { op: 'read', topic: 't', partition, offset, key: '', value: identityOf(send) } as const
    made.reads.push({ ...read, process: 'r.0', at: 2 * OPERATIONS, hold: holds[partition]!, transaction: reading.id })
    made.final.push({ ...read, process: 'final', at: 3 * OPERATIONS })
  }
  Object.assign(transaction, { outcome: 'ok', committing: OPERATIONS, ended: OPERATIONS })
  return made
}

const left: Left = { experiment, history: history(), events: [], faults: [], groups: [], views: [], replicas: [] }
const [began, cpu] = [performance.now(), process.cpuUsage()]
const facts = new Facts(left)
let found = 0
for (const { anomaly, check } of CHECKERS) {
  const start = performance.now()
  const { count, judged } = check(facts)
  found += count
  console.log(`${anomaly.padEnd(18)} ${(performance.now() - start).toFixed(0).padStart(6)} ms  ${count} of ${judged}`)
}
const seconds = (performance.now() - began) / 1000
const { user, system } = process.cpuUsage(cpu)
const cpuSeconds = (user + system) / 1e6
const bytes = process.resourceUsage().maxRSS * 1024
const mib = bytes / 1024 ** 2
console.log(
  `${OPERATIONS} operations in ${seconds.toFixed(1)} s (CPU: ${cpuSeconds.toFixed(1)} s), at most ${mib.toFixed(0)} MiB`,
)
// On a machine that has other things to do, only CPU time means anything.
process.exit(cpuSeconds > LIMIT_S || bytes > LIMIT_BYTES || found > 0 ? 1 : 0)
