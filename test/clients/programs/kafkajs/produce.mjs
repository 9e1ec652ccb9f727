// Lines of key and value from standard input, produced in order; a line of JSON for each acknowledgement.
import { createInterface } from 'node:readline'
import { Kafka, logLevel, Partitioners } from 'kafkajs'

const { BOOTSTRAP_SERVERS, TOPIC } = process.env
const RETRY = { retries: 100, initialRetryTime: 50, maxRetryTime: 400 }
const kafka = new Kafka({ brokers: BOOTSTRAP_SERVERS.split(','), logLevel: logLevel.ERROR, retry: RETRY })
const producer = kafka.producer({ idempotent: true, createPartitioner: Partitioners.DefaultPartitioner })
const partitionOf = Partitioners.DefaultPartitioner()
const queues = new Map()

// One partition a send, one send at a time: kafkajs never sends again what moved to a broker that had already answered that send.
async function drain(partition, queue) {
  while (queue.length > 0) {
    const messages = queue.splice(0, 100)
    const [{ baseOffset }] = await producer.send({ topic: TOPIC, acks: -1, messages })
    for (const [i, { value }] of messages.entries()) {
      console.log(JSON.stringify({ partition, offset: Number(baseOffset) + i, value }))
    }
  }
}

async function partitionsOf(topic) {
  const admin = kafka.admin()
  await admin.connect()
  const metadata = await admin.fetchTopicMetadata({ topics: [topic] })
  await admin.disconnect()
  return metadata.topics[0].partitions
}

const partitionMetadata = await partitionsOf(TOPIC)
for (const { partitionId } of partitionMetadata) queues.set(partitionId, { waiting: [], sending: Promise.resolve() })
await producer.connect()
for await (const line of createInterface({ input: process.stdin })) {
  const [key, value] = line.split('\t')
  const partition = partitionOf({ topic: TOPIC, partitionMetadata, message: { key, value } })
  const queue = queues.get(partition)
  queue.waiting.push({ partition, key, value })
  queue.sending = queue.sending.then(() => drain(partition, queue.waiting))
}
await Promise.all([...queues.values()].map((queue) => queue.sending))
await producer.disconnect()
