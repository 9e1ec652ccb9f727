// An application that reads orders in a group, as anybody would write it with kafkajs. STATIC=true gives each copy a name that stays its own.
const { Kafka, logLevel } = require('kafkajs')

const { BOOTSTRAP_SERVERS, APP_INSTANCE, STATIC, SESSION_TIMEOUT_MS = '6000' } = process.env
if (STATIC === 'true') require('./static-membership.cjs').joinAs(`copy-${APP_INSTANCE}`)

const kafka = new Kafka({ brokers: BOOTSTRAP_SERVERS.split(','), logLevel: logLevel.ERROR })
const consumer = kafka.consumer({ groupId: 'app', sessionTimeout: Number(SESSION_TIMEOUT_MS), heartbeatInterval: 500 })
process.once('SIGTERM', () => consumer.disconnect().then(() => process.exit(0)))

async function main() {
  await consumer.connect()
  await consumer.subscribe({ topic: 'orders', fromBeginning: true })
  await consumer.run({ autoCommitInterval: 500, eachMessage: async () => {} })
}

void main()
