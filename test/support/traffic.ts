// A client outside that produces in the background, one record after the other, and knows what was acknowledged.
import type { Kafka } from 'kafkajs'
import { until } from './cluster.ts'

export interface Traffic {
  readonly acknowledged: readonly string[]
  /** Until so many more are acknowledged. */
  more(count: number, limitMs?: number): Promise<void>
  pause(): Promise<void>
  resume(): Promise<void>
  stop(): Promise<void>
  /** Reads the topic until every acknowledged record was found; throws when one is not. */
  expectAllThere(): Promise<void>
}

export async function trafficTo(kafka: Kafka, topic: string): Promise<Traffic> {
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const acknowledged: string[] = []
  let running = false
  let next = 0
  let done = Promise.resolve()
  const go = async () => {
    while (running) {
      const value = `v${next++}`
      const messages = [{ key: `${next % 7}`, value }]
      // A client may give up on a record; then nothing is promised for it.
      const sent = await producer.send({ topic, acks: -1, messages }).catch(() => undefined)
      if (sent) acknowledged.push(value)
      else await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const resume = async () => {
    running = true
    done = go()
  }
  const pause = async () => {
    running = false
    await done
  }
  await resume()
  return {
    acknowledged,
    async more(count, limitMs = 60_000) {
      const before = acknowledged.length
      await until(`${count} more records`, async () => acknowledged.length >= before + count, limitMs)
    },
    pause,
    resume,
    async stop() {
      await pause()
      await producer.disconnect()
    },
    async expectAllThere() {
      const found = new Set<string>()
      const consumer = kafka.consumer({ groupId: `judge-${topic}-${next}` })
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: true })
      await consumer.run({ eachMessage: async ({ message }) => void found.add(message.value!.toString()) })
      await until('every acknowledged record', async () => acknowledged.every((value) => found.has(value)), 60_000)
      await consumer.disconnect()
    },
  }
}
