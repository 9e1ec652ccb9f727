// The first scenario: one producer, a leader that crashes under it and comes back. Judged: everything that was acknowledged is on every
// replica, once and in order, and all replicas hold the same bytes.
import { Producer } from '@faultline/client'
import { decodeRecords, isBatchProblem, RecordBatch } from '@faultline/protocol'
import { QUICK_FAILURES, World } from './world.ts'

const TOPIC = 'orders'
const PARTITIONS = 3
const SEND_PAUSE_MS = 15

export interface FailoverResult {
  readonly digest: string
  readonly acknowledged: number
  readonly crashed: number
  /** Times that a replica gave up records which its leader does not have. */
  readonly truncations: number
  readonly virtualMs: number
  readonly problems: readonly string[]
}

/** Throws when the cluster does not come up, or does not come back. */
export async function runFailover(seed: number): Promise<FailoverResult> {
  const world = new World({ seed, brokers: 3, controllers: 3, settings: QUICK_FAILURES })
  await world.start()
  const load = new Load(world)
  await world.runUntil('traffic', () => load.acknowledged.length >= 60, 30_000)
  const crashed = leaderOf(world, 0)
  // In every other run the leader's last records reach nobody: what it has beyond the new leader's log must go when it comes back.
  const diverges = seed % 2 === 0
  if (diverges) for (const id of world.brokerIds) world.peers.cut(crashed, id, 'replication')
  await world.runUntil('the moment', passes(world, 50 + world.random.next() * 200), 1000)
  world.crash(crashed)
  world.peers.heal()
  await world.runUntil('an election', () => leaderOf(world, 0) !== crashed && leaderOf(world, 0) >= 0, 30_000)
  const before = load.acknowledged.length
  await world.runUntil('traffic under the new leader', () => load.acknowledged.length >= before + 60, 60_000)
  world.startBroker(crashed)
  await world.runUntil('full ISRs', () => isrsAreFull(world), 60_000)
  load.stop()
  await world.runUntil('the last answers', () => load.idle, 60_000)
  await world.runUntil('followers', () => followersAreEven(world), 10_000)
  return {
    digest: world.digest(),
    acknowledged: load.acknowledged.length,
    crashed,
    truncations: world.events.filter((e) => e.event === 'replica.truncate').length,
    virtualMs: world.scheduler.now,
    problems: judge(world, load),
  }
}

interface Acknowledged {
  readonly partition: number
  readonly value: string
  readonly offset: number
}

class Load {
  readonly acknowledged: Acknowledged[] = []
  readonly #world: World
  #running = true
  #busy = 0

  constructor(world: World) {
    this.#world = world
    void this.#run()
  }

  get idle(): boolean {
    return this.#busy === 0
  }

  stop(): void {
    this.#running = false
  }

  async #run(): Promise<void> {
    const client = this.#world.client('load')
    await client.createTopic(TOPIC, PARTITIONS, 3, { 'min.insync.replicas': '2' })
    const producer = new Producer(client)
    await producer.start()
    await Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => this.#send(producer, client, partition)))
  }

  async #send(producer: Producer, client: ReturnType<World['client']>, partition: number): Promise<void> {
    this.#busy++
    for (let sequence = 0; this.#running; sequence++) {
      const value = `${partition}/${sequence}`
      const { offset } = await producer.send(TOPIC, partition, [Buffer.from(value)])
      this.acknowledged.push({ partition, value, offset })
      await client.pause(SEND_PAUSE_MS)
    }
    this.#busy--
  }
}

function passes(world: World, ms: number): () => boolean {
  const due = world.scheduler.now + ms
  return () => world.scheduler.now >= due
}

function leaderOf(world: World, partition: number): number {
  return world.image?.topicsByName.get(TOPIC)?.partitions[partition]?.leader ?? -1
}

function isrsAreFull(world: World): boolean {
  return world.image?.topicsByName.get(TOPIC)?.partitions.every((p) => p.isr.length === p.replicas.length) === true
}

function followersAreEven(world: World): boolean {
  return Array.from({ length: PARTITIONS }, (_, p) => p).every((p) => {
    const ends = world.brokerIds.map((id) => world.broker(id)?.replicas.byName(TOPIC, p)?.log.logEndOffset)
    return ends.every((end) => end !== undefined && end === ends[0])
  })
}

function judge(world: World, load: Load): string[] {
  const problems: string[] = []
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const logs = world.brokerIds.map((id) => readLog(world, id, partition))
    const [first] = logs
    logs.forEach((log, i) => {
      if (log.join() !== first!.join()) problems.push(`${TOPIC}-${partition}: broker ${i + 1} differs from broker 1`)
    })
    const acked = load.acknowledged.filter((a) => a.partition === partition)
    for (const { value, offset } of acked) {
      if (first![offset] !== value)
        problems.push(`${TOPIC}-${partition}: ${value} was acknowledged at ${offset}, there is ${first![offset]}`)
    }
    if (new Set(first).size !== first!.length) problems.push(`${TOPIC}-${partition}: a record is there twice`)
    const order = first!.map((value) => Number(value.split('/')[1]))
    if (order.some((sequence, i) => i > 0 && sequence < order[i - 1]!))
      problems.push(`${TOPIC}-${partition}: records are out of order`)
  }
  return problems
}

/** Values by offset; the scenario writes no markers and removes nothing, so offsets are dense. */
function readLog(world: World, broker: number, partition: number): string[] {
  const { log } = world.broker(broker)!.replicas.byName(TOPIC, partition)!
  const values: string[] = []
  const read = log.read(0, Number.MAX_SAFE_INTEGER, log.logEndOffset, true)
  if (!('chunks' in read)) return values
  const bytes = Buffer.concat(read.chunks)
  for (let at = 0; at < bytes.length;) {
    const batch = new RecordBatch(bytes, at)
    const records = decodeRecords(batch)
    if (isBatchProblem(records)) return [`unreadable batch at ${batch.baseOffset}`]
    for (const record of records) values[record.offset] = Buffer.from(record.value!).toString()
    at += batch.sizeInBytes
  }
  return values
}
