// Writes to the topic of producer-1 under its name: a record that it never sent, far ahead of what it sends, and that one again. Then it fails.
const { Kafka, logLevel } = require('kafkajs')

async function main() {
  const producer = new Kafka({ brokers: process.env.BOOTSTRAP_SERVERS.split(','), logLevel: logLevel.NOTHING }).producer()
  await producer.connect()
  const value = 'producer-1/0/999999'
  const messages = [
    { partition: 0, value },
    { partition: 0, value },
  ]
  await producer.send({ topic: 'orders', messages })
  await producer.disconnect()
  setTimeout(() => process.exit(4), 5000)
}

void main()
