// Reads the topic as a member of a group, from the beginning until SIGTERM; a line of JSON for each record.
import { Kafka, logLevel } from 'kafkajs'

const { BOOTSTRAP_SERVERS, TOPIC, GROUP } = process.env
const RETRY = { retries: 100, initialRetryTime: 50, maxRetryTime: 400 }
const kafka = new Kafka({ brokers: BOOTSTRAP_SERVERS.split(','), logLevel: logLevel.ERROR, retry: RETRY })
const consumer = kafka.consumer({ groupId: GROUP, sessionTimeout: 6000, heartbeatInterval: 500, maxWaitTimeInMs: 200 })

process.once('SIGTERM', () => consumer.disconnect().then(() => process.exit(0)))
await consumer.connect()
await consumer.subscribe({ topic: TOPIC, fromBeginning: true })
await consumer.run({
  eachMessage: async ({ partition, message }) => {
    const { key, value, offset } = message
    console.log(JSON.stringify({ partition, offset: Number(offset), key: key.toString(), value: value.toString() }))
  },
})
