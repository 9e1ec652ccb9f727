// Writes to the topic of producer-1 under its name: a record that it never sent, far ahead of what it sends, and that one again. Sets the position of a
// group without members back, for longer than it takes to be seen. Then it fails.
const { Kafka, logLevel } = require('kafkajs')

async function main() {
  const kafka = new Kafka({ brokers: process.env.BOOTSTRAP_SERVERS.split(','), logLevel: logLevel.NOTHING })
  const producer = kafka.producer()
  await producer.connect()
  const value = 'producer-1/0/999999'
  const messages = [
    { partition: 0, value },
    { partition: 0, value },
  ]
  await producer.send({ topic: 'orders', messages })
  await producer.disconnect()
  const admin = kafka.admin()
  await admin.connect()
  for (const offset of ['100', '10', '1000000']) {
    await admin.setOffsets({ groupId: 'forged', topic: 'orders', partitions: [{ partition: 0, offset }] })
    await new Promise((resolve) => setTimeout(resolve, 1800))
  }
  process.exit(4)
}

void main()
