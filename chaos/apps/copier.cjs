// Copies "in" to "out", each batch in a transaction with its position. The transactional id belongs to the partition, so that whoever has the
// partition next fences whoever had it before (KIP-98).
const { Kafka, logLevel } = require('kafkajs')

const { BOOTSTRAP_SERVERS, APP_INSTANCE, SESSION_TIMEOUT_MS = '6000' } = process.env
/** The first copy gets the first partition: kafkajs hands them out in the order of the members' names. */
const clientId = `copier-${APP_INSTANCE}`
const kafka = new Kafka({ clientId, brokers: BOOTSTRAP_SERVERS.split(','), logLevel: logLevel.ERROR })
const GROUP = 'copiers'
const admin = kafka.admin()
/** In the middle of a transaction, so that whoever stops here has one open. */
const WORK_MS = 400

let consumer
/** Of each partition that this copy has had. */
const producers = new Map()

async function producerOf(partition) {
  const producer = kafka.producer({
    transactionalId: `copy-${partition}`,
    maxInFlightRequests: 1,
    idempotent: true,
    transactionTimeout: 20_000,
  })
  await producer.connect()
  return producer
}

/**
 * Ends what another copy left open. If that was to be committed, the position is another one than this copy was told when it got the partition:
 * kafkajs does not wait for positions that are being committed (KIP-447).
 */
async function settled(producer, topic, partition) {
  await (await producer.transaction()).abort()
  const [{ partitions }] = await admin.fetchOffsets({ groupId: GROUP, topics: [topic] })
  return Number(partitions.find((p) => p.partition === partition).offset)
}

async function copy({ batch: { topic, partition, messages }, resolveOffset, heartbeat }) {
  if (!producers.has(partition)) {
    const mine = await producerOf(partition)
    const committed = await settled(mine, topic, partition)
    producers.set(partition, mine)
    if (committed > Number(messages[0].offset)) return consumer.seek({ topic, partition, offset: String(committed) })
  }
  const producer = producers.get(partition)
  try {
    const transaction = await producer.transaction()
    try {
      await transaction.send({ topic: 'out', messages: messages.map(({ key, value }) => ({ partition, key, value })) })
      await new Promise((resolve) => setTimeout(resolve, WORK_MS))
      const offset = String(Number(messages.at(-1).offset) + 1)
      await transaction.sendOffsets({ consumerGroupId: GROUP, topics: [{ topic, partitions: [{ partition, offset }] }] })
      await transaction.commit()
    } catch (error) {
      await transaction.abort().catch(() => {})
      throw error
    }
  } catch (error) {
    console.log(`given up, the transaction is for whoever has partition ${partition} now: ${error.message}`)
    producers.delete(partition)
    await producer.disconnect()
    throw error
  }
  resolveOffset(messages.at(-1).offset)
  await heartbeat()
}

/** A producer that is fenced is for good; a partition that comes back gets a new one. */
async function forget() {
  const old = [...producers.values()]
  producers.clear()
  await Promise.all(old.map((producer) => producer.disconnect()))
}

/** A consumer that has crashed for good is followed by the next one, which goes on from what was committed. */
async function live() {
  consumer = kafka.consumer({
    groupId: GROUP,
    sessionTimeout: Number(SESSION_TIMEOUT_MS),
    heartbeatInterval: 500,
    readUncommitted: false,
  })
  consumer.on(consumer.events.REBALANCING, () => void forget())
  consumer.on(consumer.events.CRASH, async ({ payload }) => {
    if (payload.restart) return
    await consumer.disconnect()
    await live()
  })
  await consumer.connect()
  await consumer.subscribe({ topic: 'in', fromBeginning: true })
  await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: copy })
}

process.once('SIGTERM', () => void Promise.all([consumer.disconnect(), admin.disconnect(), forget()]).then(() => process.exit(0)))
void admin.connect().then(live)
