// The parts of a node, each alone: the codec, an append, a commit of the metadata quorum, a round on a replication stream. Every figure is
// the median of five runs after one that warms up; the spread is the fastest and the slowest.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Prng } from '@faultline/base'
import { DEFAULT_LOG_CONFIG, LogDirectory } from '@faultline/log'
import { GrpcTransport, LevelStorage, NodeDisk, SystemClock } from '@faultline/node'
import { buildBatch, produce, ZERO_UUID } from '@faultline/protocol'
import { RaftDriver } from '@faultline/raft'
import { openStream, serveStream } from '@faultline/rpc'

type Measure = { readonly what: string; readonly unit: string; run(): Promise<number> }

const RUNS = 5
const BATCH = buildBatch(
  Array.from({ length: 60 }, (_, i) => ({ key: null, value: Buffer.alloc(1024, i), timestamp: 1_700_000_000_000 })),
)

/** Microseconds for one of `count` calls. */
async function perCall(count: number, call: (i: number) => unknown): Promise<number> {
  const began = performance.now()
  for (let i = 0; i < count; i++) await call(i)
  return ((performance.now() - began) * 1000) / count
}

function codec(): Measure[] {
  const value = {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ name: 'orders', topicId: ZERO_UUID, partitionData: [{ index: 0, records: BATCH }] }],
  }
  const bytes = Buffer.concat(produce.request.encode(value, 12))
  return [
    {
      what: 'encode a Produce request of 60 KiB',
      unit: 'us',
      run: () => perCall(20_000, () => void produce.request.encode(value, 12)),
    },
    { what: 'decode it', unit: 'us', run: () => perCall(20_000, () => void produce.request.decode(bytes, 12)) },
  ]
}

function logAppend(folder: string): Measure {
  const logs = LogDirectory.open({
    disk: new NodeDisk('/'),
    clock: new SystemClock(),
    random: new Prng(1),
    path: join(folder, 'log'),
    clusterId: 'bench',
    nodeId: 1,
  })
  const log = logs.create('bench', 0, ZERO_UUID, DEFAULT_LOG_CONFIG)
  const append = () => void log.appendAsLeader(Uint8Array.from(BATCH), 0, 'client')
  return { what: 'append a batch of 60 KiB to a log', unit: 'us', run: () => perCall(1000, append) }
}

async function raftCommit(folder: string): Promise<Measure> {
  const ids = [1, 2, 3]
  const drivers = new Map<number, RaftDriver>()
  let committed: (index: number) => void = () => {}
  for (const id of ids) {
    const driver = new RaftDriver({
      id,
      voters: ids,
      clock: new SystemClock(),
      random: new Prng(id),
      storage: new LevelStorage(join(folder, `raft-${id}`)),
      timing: { heartbeatMs: 250, electionTimeoutMs: 2000, checkQuorumMs: 3000 },
      send: (to, message) => setImmediate(() => drivers.get(to)!.receive(id, message)),
      onCommitted: (entries) => driver.status().role === 'leader' && committed(entries.at(-1)!.index),
      onSnapshot: () => {},
      onRole: () => {},
      onFatal: (error) => {
        throw error
      },
    })
    drivers.set(id, driver)
  }
  await Promise.all([...drivers.values()].map((d) => d.start()))
  const leader = () => [...drivers.values()].find((d) => d.status().role === 'leader')
  while (!leader()) await new Promise((resolve) => setTimeout(resolve, 10))
  const data = new Uint8Array(200)
  const commit = () =>
    new Promise<void>((resolve) => {
      const { index } = leader()!.propose(data)!
      committed = (done) => done >= index && resolve()
    })
  return { what: 'commit 200 bytes in a quorum of three, synced to disk', unit: 'us', run: () => perCall(300, commit) }
}

async function replicationRound(): Promise<Measure> {
  let port = 0
  const leader = new GrpcTransport(() => '')
  const partitions = [{ topicId: ZERO_UUID, records: [BATCH] }]
  serveStream(leader, 'replicate', (stream) => {
    stream.onMessage = ({ sequence }) => void stream.send({ sequence, partitions })
  })
  port = await leader.listen('replication', '127.0.0.1:0')
  const follower = new GrpcTransport(() => `127.0.0.1:${port}`)
  const stream = openStream(follower, 1, 'replicate')
  let arrived: () => void = () => {}
  stream.onMessage = () => arrived()
  const round = (i: number) =>
    new Promise<void>((resolve) => {
      arrived = resolve
      stream.send({ sequence: i, replicaId: 1 })
    })
  return { what: 'fetch 60 KiB over a replication stream, there and back', unit: 'us', run: () => perCall(1000, round) }
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'faultline-bench-'))
  try {
    const measures = [...codec(), logAppend(folder), await raftCommit(folder), await replicationRound()]
    for (const { what, unit, run } of measures) {
      await run()
      const figures: number[] = []
      for (let i = 0; i < RUNS; i++) figures.push(await run())
      figures.sort((a, b) => a - b)
      const [low, median, high] = [figures[0]!, figures[RUNS >> 1]!, figures[RUNS - 1]!].map((f) => f.toFixed(f < 10 ? 2 : 0))
      process.stdout.write(`${what.padEnd(58)} ${median!.padStart(8)} ${unit}   (${low} to ${high})\n`)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  process.exit(0)
}

void main()
