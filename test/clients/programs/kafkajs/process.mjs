// Copies the topic to OUTPUT in transactions with the positions inside, until SIGTERM; for each one a line with how many records it has.
import { Kafka, logLevel, Partitioners } from 'kafkajs'

const { BOOTSTRAP_SERVERS, TOPIC, OUTPUT, GROUP, TRANSACTIONAL_ID } = process.env
const RETRY = { retries: 100, initialRetryTime: 50, maxRetryTime: 400 }
const kafka = new Kafka({ brokers: BOOTSTRAP_SERVERS.split(','), logLevel: logLevel.ERROR, retry: RETRY })
const consumer = kafka.consumer({ groupId: GROUP, sessionTimeout: 6000, heartbeatInterval: 500, maxWaitTimeInMs: 100 })
const producer = kafka.producer({
  transactionalId: TRANSACTIONAL_ID,
  idempotent: true,
  maxInFlightRequests: 1,
  createPartitioner: Partitioners.DefaultPartitioner,
})

// Where a broker is gone while kafkajs connects, or starts its consumer again, it fails with what a later attempt would not.
process.once('uncaughtException', (error) => {
  console.error(error)
  process.exit(error.retriable ? 75 : 1)
})
process.once('SIGTERM', async () => {
  await consumer.disconnect()
  await producer.disconnect()
  process.exit(0)
})
await producer.connect()
// What an earlier life left open has to end before the consumer asks where its group is: kafkajs does not wait for that itself.
await (await producer.transaction()).abort()
await consumer.connect()
await consumer.subscribe({ topic: TOPIC, fromBeginning: true })
await consumer.run({
  autoCommit: false,
  eachBatch: async ({ batch }) => {
    const { partition, messages } = batch
    const transaction = await producer.transaction()
    try {
      await transaction.send({ topic: OUTPUT, acks: -1, messages: messages.map(({ key, value }) => ({ key, value })) })
      const offset = String(BigInt(batch.lastOffset()) + 1n)
      await transaction.sendOffsets({
        consumerGroupId: GROUP,
        topics: [{ topic: TOPIC, partitions: [{ partition, offset }] }],
      })
      await transaction.commit()
    } catch (error) {
      // Aborted, the batch comes again. An end that failed cannot be asked for again: the next life settles it.
      await transaction.abort().catch(() => process.exit(75))
      throw error
    }
    console.log(messages.length)
  },
})
