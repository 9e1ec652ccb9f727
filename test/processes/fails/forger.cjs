// Writes to the topic of producer-1 under its name, also its client id: a record that it never sent, far ahead of what it sends, and that one again. Reads a little, and
// sets the position of its group, which has no members then, back and far ahead, for longer than it takes to be seen. Then it fails.
const { Kafka, logLevel } = require('kafkajs')

function kafkaOf(clientId) {
  return new Kafka({ brokers: process.env.BOOTSTRAP_SERVERS.split(','), logLevel: logLevel.NOTHING, clientId })
}

async function main() {
  const kafka = kafkaOf('forger')
  const producer = kafkaOf('faultline-producer-1').producer()
  await producer.connect()
  const value = 'producer-1/0/999999'
  const messages = [
    { partition: 0, value },
    { partition: 0, value },
  ]
  await producer.send({ topic: 'orders', messages })
  await producer.disconnect()
  await readOne(kafka.consumer({ groupId: 'forged' }))
  const admin = kafka.admin()
  await admin.connect()
  for (const offset of ['100', '10', '1000000']) {
    await admin.setOffsets({ groupId: 'forged', topic: 'orders', partitions: [{ partition: 0, offset }] })
    await new Promise((resolve) => setTimeout(resolve, 1800))
  }
  process.exit(4)
}

async function readOne(consumer) {
  await consumer.connect()
  await consumer.subscribe({ topics: ['orders'], fromBeginning: true })
  await new Promise((resolve) => consumer.run({ eachMessage: async () => resolve() }))
  await consumer.disconnect()
}

void main()
