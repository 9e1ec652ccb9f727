// One connection to a broker process over TCP, for tests that need requests at chosen versions.
import { Connection } from '@faultline/client'
import { SocketDialer } from '@faultline/node'
import {
  buildBatch,
  createTopics,
  decodeRecords,
  Errors,
  fetch,
  isBatchProblem,
  metadata,
  produce,
  RecordBatch,
} from '@faultline/protocol'

export function connectTo(address: string): Connection {
  const colon = address.lastIndexOf(':')
  return new Connection(new SocketDialer(), address.slice(0, colon), Number(address.slice(colon + 1)), 'test')
}

/** One replica a partition: what its broker loses is lost. Returns when it is led. */
export async function createSingle(connection: Connection, name: string, configs: Record<string, string> = {}): Promise<void> {
  const pairs = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
  const topic = { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: pairs }
  const { topics } = await connection.request(createTopics, 7, { topics: [topic], timeoutMs: 10_000 })
  if (topics[0]!.errorCode !== Errors.NONE) throw new Error(topics[0]!.errorMessage ?? 'CreateTopics failed')
  const led = async () => {
    const { topics: found } = await connection.request(metadata, 12, { topics: [{ name }], allowAutoTopicCreation: false })
    return found[0]!.partitions[0]?.errorCode === Errors.NONE
  }
  while (!(await led())) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** The answer's error code and offset. */
export async function send(
  connection: Connection,
  topic: string,
  ...values: string[]
): Promise<{ errorCode: number; baseOffset: number }> {
  const timestamp = Date.now()
  const records = buildBatch(values.map((value) => ({ key: Buffer.from(value), value: Buffer.from(value), timestamp })))
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
  const { responses } = await connection.request(produce, 12, { acks: -1, timeoutMs: 10_000, topicData })
  return responses[0]!.partitionResponses[0]!
}

/** All values from the start of partition 0 to its high watermark. */
export async function readAll(connection: Connection, topic: string, from = 0): Promise<string[]> {
  const values: string[] = []
  for (let fetchOffset = from; ;) {
    const topics = [{ topic, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 }] }]
    const reply = await connection.request(fetch, 12, { maxWaitMs: 0, topics })
    const { errorCode, records } = reply.responses[0]!.partitions[0]!
    if (errorCode !== Errors.NONE) throw new Error(`Fetch of ${topic} at ${fetchOffset}: error ${errorCode}`)
    if (records === null || records.length === 0) return values
    for (let at = 0; at < records.length;) {
      const batch = new RecordBatch(records, at)
      const decoded = decodeRecords(batch)
      if (isBatchProblem(decoded)) throw new Error(decoded.message)
      for (const { offset, value } of decoded) if (offset >= fetchOffset) values.push(Buffer.from(value!).toString())
      at += batch.sizeInBytes
      fetchOffset = batch.lastOffset + 1
    }
  }
}
