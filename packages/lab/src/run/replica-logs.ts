// What each replica has below its high watermark: each broker is asked itself. Since KIP-392 also a follower answers a consumer's Fetch, so this
// needs nobody's files and no stopped brokers, and works wherever a cluster runs: in processes, in containers, or Kafka itself.
import { ask, type ClusterClient, type Connection, Disconnected, startOffsets } from '@faultline/client'
import { batchSizeAt, Errors, fetch, RecordBatch } from '@faultline/protocol'
import type { Experiment } from '../experiment/schema.ts'
import { setting } from '../policy/setting.ts'
import type { BrokerView } from './cluster-watch.ts'

export interface BatchSeen {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly leaderEpoch: number
  readonly crc: number
}

export interface ReplicaLog {
  readonly broker: string
  readonly topic: string
  readonly partition: number
  readonly from: number
  /** What is below is complete. */
  readonly to: number
  readonly batches: readonly BatchSeen[]
}

/** From 13 on topics go by their ids. */
const NAMES_UNTIL = 12
const MAX_BYTES = 1024 * 1024

/** `views`: the last of each partition says which replicas are in sync. Compaction is each replica's own affair: such topics are left out. */
export async function readReplicas(
  client: ClusterClient,
  experiment: Experiment,
  views: readonly BrokerView[],
): Promise<ReplicaLog[]> {
  const isPlain = ({ topic }: BrokerView) => !(setting(experiment, topic, 'cleanup.policy') ?? '').includes('compact')
  const last = new Map(views.filter(isPlain).map((v) => [`${v.topic}-${v.partition}`, v]))
  const starts = await startOffsets(client, [...last.values()])
  const reading = starts.flatMap(({ topic, partition, offset }) =>
    last.get(`${topic}-${partition}`)!.isr.map((id) => readReplica(client, id, topic, partition, offset)),
  )
  return (await Promise.all(reading)).flatMap((log) => log ?? [])
}

/** Undefined when that broker does not answer. */
async function readReplica(
  client: ClusterClient,
  id: number,
  topic: string,
  partition: number,
  from: number,
): Promise<ReplicaLog | undefined> {
  const batches: BatchSeen[] = []
  try {
    for (let offset = from; ;) {
      const { records, errorCode } = await fetchFrom(client.broker(id), topic, partition, offset)
      if (errorCode !== Errors.NONE) return undefined
      for (const batch of batchesIn(records ?? new Uint8Array(0))) {
        if (batch.baseOffset < offset) continue
        const { baseOffset, lastOffset, partitionLeaderEpoch: leaderEpoch, crc } = batch
        batches.push({ baseOffset, lastOffset, leaderEpoch, crc })
      }
      const to = batches.length === 0 ? from : batches.at(-1)!.lastOffset + 1
      if (to === offset) return { broker: `broker:${id}`, topic, partition, from, to, batches }
      offset = to
    }
  } catch (error) {
    if (!(error instanceof Disconnected)) throw error
    return undefined
  }
}

async function fetchFrom(connection: Connection | undefined, topic: string, partition: number, fetchOffset: number) {
  const partitions = [{ partition, fetchOffset, partitionMaxBytes: MAX_BYTES }]
  const request = { maxWaitMs: 0, minBytes: 0, maxBytes: MAX_BYTES, sessionEpoch: -1, topics: [{ topic, partitions }] }
  const reply = await ask(connection, fetch, request, NAMES_UNTIL)
  return reply.responses[0]!.partitions[0]!
}

/** The last one may be cut short. */
function* batchesIn(bytes: Uint8Array): Generator<RecordBatch> {
  for (let at = 0; at < bytes.length;) {
    const size = batchSizeAt(bytes, at)
    if (typeof size !== 'number' || at + size > bytes.length) return
    yield new RecordBatch(bytes, at)
    at += size
  }
}
