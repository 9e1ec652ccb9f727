// What a group has not committed of what there is.
import type { Kafka } from 'kafkajs'

/** `ends`: the end of each partition, "orders-0" -> offset. */
export async function lagOf(kafka: Kafka, groupId: string, topic: string, ends: ReadonlyMap<string, number>): Promise<number> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] })
    return committed!.partitions.reduce((lag, { partition, offset }) => {
      const end = ends.get(`${topic}-${partition}`) ?? 0
      return lag + Math.max(0, end - Math.max(0, Number(offset)))
    }, 0)
  } finally {
    await admin.disconnect()
  }
}
