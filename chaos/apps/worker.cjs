// Works through "in" and writes each record's result to "out", as many a service does, without transactions. COMMITS says when it commits how far
// it has come: "last", behind the work, so that who goes on after a crash does some of it again; or "first", and what was left is never done.
// IDEMPOTENT=false writes without sequence numbers: what is sent again is written again.
const { Kafka, logLevel, Partitioners } = require('kafkajs')

const { BOOTSTRAP_SERVERS, APP_INSTANCE, COMMITS = 'last', IDEMPOTENT = 'true', SESSION_TIMEOUT_MS = '6000' } = process.env
const kafka = new Kafka({ clientId: `worker-${APP_INSTANCE}`, brokers: BOOTSTRAP_SERVERS.split(','), logLevel: logLevel.ERROR })
const consumer = kafka.consumer({
  groupId: 'workers',
  sessionTimeout: Number(SESSION_TIMEOUT_MS),
  heartbeatInterval: 300,
  maxWaitTimeInMs: 200,
})
const producer = kafka.producer({
  idempotent: IDEMPOTENT === 'true',
  maxInFlightRequests: 1,
  createPartitioner: Partitioners.DefaultPartitioner,
  retry: { retries: 100, initialRetryTime: 50, maxRetryTime: 400 },
})
/** Between the first half of a batch's results and the second: whoever is killed is in the middle of it. */
const WORK_MS = 300

async function work({ batch: { topic, partition, messages }, heartbeat }) {
  const offset = String(Number(messages.at(-1).offset) + 1)
  const commit = () => consumer.commitOffsets([{ topic, partition, offset }])
  if (COMMITS === 'first') await commit()
  const results = messages.map(({ key, value }) => ({ partition, key, value }))
  const half = results.splice(0, Math.ceil(results.length / 2))
  await producer.send({ topic: 'out', messages: half })
  await new Promise((resolve) => setTimeout(resolve, WORK_MS))
  if (results.length > 0) await producer.send({ topic: 'out', messages: results })
  await heartbeat()
  if (COMMITS === 'last') await commit()
}

async function main() {
  await producer.connect()
  await consumer.connect()
  await consumer.subscribe({ topic: 'in', fromBeginning: true })
  await consumer.run({ autoCommit: false, eachBatch: work })
}

process.once('SIGTERM', () => void Promise.all([consumer.disconnect(), producer.disconnect()]).then(() => process.exit(0)))
void main()
