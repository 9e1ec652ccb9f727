// All kinds of faults, armed and disarmed at random while a client produces: afterwards the cluster is well, nothing acknowledged is lost, and
// the nodes have not grown. SOAK=1000 makes it a long run.
import { describe, expect, it } from 'vitest'
import { Prng } from '@faultline/base'
import { type FaultRequestInput, startCluster, type StartedCluster } from '@faultline/director'
import { createTopic, DIST, kafkaFor, until } from '../support/cluster.ts'

const ROUNDS = Number(process.env['SOAK'] ?? 120)
const SEED = Number(process.env['SOAK_SEED'] ?? 1)
/** What a broker's caches may still take in. */
const GROWTH_MIB = 120

const protocol = (kind: string, more: Partial<FaultRequestInput> = {}): FaultRequestInput => ({
  family: 'protocol',
  kind,
  probability: 0.3,
  ...more,
})
const link = (kind: string, more: Partial<FaultRequestInput> = {}): FaultRequestInput => ({ family: 'link', kind, ...more })

const KINDS: readonly FaultRequestInput[] = [
  protocol('error', { where: { apis: ['Produce'] }, with: { error: 'NOT_LEADER_OR_FOLLOWER' } }),
  protocol('error', { where: { apis: ['Produce'] }, with: { error: 'REQUEST_TIMED_OUT', stage: 'after' } }),
  protocol('delay', { with: { ms: 30 } }),
  protocol('lose-reply', { where: { apis: ['Produce'] } }),
  protocol('disconnect'),
  protocol('blackhole', { where: { apis: ['Fetch', 'Metadata'] } }),
  protocol('metadata', { with: { mode: 'wrong-leader' } }),
  protocol('metadata', { with: { mode: 'stale' } }),
  link('latency', { with: { latency: 20, jitter: 10 } }),
  link('bandwidth', { with: { rate: 500 } }),
  link('slicer', { with: { average_size: 200, size_variation: 50, delay: 100 } }),
  link('reset-peer', { from: 'clients', with: { timeout: 10, toxicity: 0.5 } }),
  link('cut', { from: 'broker:1', plane: 'replication' }),
  link('cut', { from: 'broker:2', to: 'controller:101', with: { ways: 'one' } }),
  link('refuse', { from: 'clients', to: 'broker:3' }),
  link('flap', { from: 'broker:3', with: { down: 20, up: 20 } }),
  link('partition', { with: { shape: 'ring', among: 'brokers' } }),
  { family: 'storage', kind: 'slow', every: 5, where: { file: 'log' }, with: { operation: 'write', ms: 5 } },
  { family: 'clock', kind: 'step', node: 'broker:1', with: { ms: 5000 } },
  { family: 'clock', kind: 'drift', node: 'broker:2', with: { rate: 2 } },
  { family: 'clock', kind: 'freeze', node: 'broker:3' },
  { family: 'process', kind: 'pause', node: 'broker:2' },
]

async function memoryOf(cluster: StartedCluster): Promise<number[]> {
  const reports = await cluster.cluster.status()
  return reports.filter((r) => r.role === 'broker').map((r) => (r.report!['memory'] as { rss: number }).rss / 1024 / 1024)
}

describe('faults at random', () => {
  it(`${ROUNDS} of them leave a cluster that is well (seed ${SEED})`, async () => {
    await using cluster = await startCluster({ brokers: 3, controllers: 1, proxied: true }, DIST)
    const kafka = kafkaFor(cluster.bootstrap)
    await createTopic(kafka, 'orders', 3)
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    const acknowledged: string[] = []
    let running = true
    const load = (async () => {
      for (let i = 0; running; i++) {
        // A client may give up on a record; then nothing is promised for it.
        const sent = await producer
          .send({ topic: 'orders', acks: -1, messages: [{ key: `${i % 7}`, value: `v${i}` }] })
          .catch(() => undefined)
        if (sent) acknowledged.push(`v${i}`)
        else await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    await until('traffic', async () => acknowledged.length > 50)
    const before = await memoryOf(cluster)
    const random = new Prng(SEED)
    for (let round = 0; round < ROUNDS; round++) {
      const request = { ...KINDS[random.below(KINDS.length)]!, seed: round, ttl: '2s' } as FaultRequestInput
      // A node that is paused cannot be armed, and says so.
      const fault = await cluster.fault(request).catch((error: Error) => {
        expect(error.message).toMatch(/does not answer/)
        return undefined
      })
      if (fault && random.next() < 0.7) await cluster.heal(fault.id)
    }
    await cluster.healAll()
    for (const partition of [0, 1, 2]) await cluster.waitForIsr(`orders-${partition}`, 3, 60_000)
    const count = acknowledged.length
    await until('traffic again', async () => acknowledged.length > count + 20)
    running = false
    await load
    const after = await memoryOf(cluster)
    after.forEach((mib, i) => expect(mib - before[i]!).toBeLessThan(GROWTH_MIB))
    expect((await cluster.faults()).filter((f) => f.state === 'armed')).toEqual([])

    const consumer = kafka.consumer({ groupId: 'judge' })
    const found = new Map<string, number>()
    await consumer.connect()
    await consumer.subscribe({ topic: 'orders', fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ message }) =>
        void found.set(message.value!.toString(), (found.get(message.value!.toString()) ?? 0) + 1),
    })
    await until('every acknowledged record', async () => acknowledged.every((value) => found.has(value)))
    await consumer.disconnect()
    await producer.disconnect()
  }, 600_000)
})
