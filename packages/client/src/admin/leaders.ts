// Questions about partitions, which only their leaders answer.
import type { ClusterClient } from '../cluster-client.ts'
import { type Connection, Disconnected } from '../connection.ts'

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

interface ByTopic {
  readonly name: string
  readonly partitions: number[]
}

/** One question a leader; partitions that nobody leads, or whose leader does not answer, are left out. */
export async function askLeaders<T>(
  client: ClusterClient,
  partitions: readonly TopicPartition[],
  askOne: (leader: Connection, topics: readonly ByTopic[]) => Promise<readonly T[]>,
): Promise<T[]> {
  const answered = async ([leader, led]: [Connection, TopicPartition[]]) => {
    const topics = byTopic(led)
    try {
      return await askOne(leader, topics)
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error
      for (const { name } of topics) client.forget(name)
      return []
    }
  }
  return (await Promise.all([...(await byLeader(client, partitions))].map(answered))).flat()
}

async function byLeader(
  client: ClusterClient,
  partitions: readonly TopicPartition[],
): Promise<Map<Connection, TopicPartition[]>> {
  const led = new Map<Connection, TopicPartition[]>()
  for (const at of partitions) {
    const leader = await client.leader(at.topic, at.partition)
    if (!leader) continue
    const others = led.get(leader)
    if (others) others.push(at)
    else led.set(leader, [at])
  }
  return led
}

function byTopic(partitions: readonly TopicPartition[]): ByTopic[] {
  const topics = new Map<string, ByTopic>()
  for (const { topic, partition } of partitions) {
    const others = topics.get(topic)
    if (others) others.partitions.push(partition)
    else topics.set(topic, { name: topic, partitions: [partition] })
  }
  return [...topics.values()]
}
