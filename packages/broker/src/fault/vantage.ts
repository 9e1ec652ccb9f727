// What conditions can see from this broker: what it coordinates, leads and serves, as it stands in the step in which it is looked at.
import { committedOffset, groupStanding, memberCount } from '@faultline/coordinator'
import type { Fields, Vantage } from '@faultline/fault'
import type { Broker } from '../broker.ts'
import type { Partition } from '../replica/partition.ts'

export function brokerVantage(broker: Broker): Vantage {
  return (subject, key) => LOOK[subject]?.(broker, key)
}

/** Undefined where another broker owns it. */
const LOOK: Readonly<Record<string, (broker: Broker, key: string) => Fields | undefined>> = {
  txn({ transactions }, key) {
    const found = transactions.coordinator.shardOf(key)?.transactions.get(key)
    return found && { state: found.state, producerId: found.producerId, epoch: found.producerEpoch }
  },
  group({ groups }, key) {
    const shard = groups.coordinator.shardOf(key)
    const standing = shard && groupStanding(shard, key)
    return standing && { ...standing }
  },
  member({ groups }, key) {
    const { before: group, after: who } = cut(key, key.indexOf(':'))
    const shard = groups.coordinator.shardOf(group)
    return shard && { count: memberCount(shard, group, who) }
  },
  offset({ groups }, key) {
    const { before: group, after } = cut(key, key.lastIndexOf(':'))
    const { before: topic, after: partition } = cut(after, after.lastIndexOf('-'))
    const shard = groups.coordinator.shardOf(group)
    return shard && { committed: committedOffset(shard, group, topic, Number(partition)) }
  },
  partition(broker, key) {
    const log = leading(broker, key)?.log
    return log && { highWatermark: log.highWatermark, logEnd: log.logEndOffset, logStart: log.logStartOffset }
  },
  follower(broker, key) {
    const { before, after: id } = cut(key, key.lastIndexOf(':'))
    const partition = leading(broker, before)
    const follower = partition?.followerProgress().find((f) => f.replica === Number(id))
    if (!partition || !follower) return undefined
    const { logEndOffset: logEnd } = follower
    // Before its first fetch nobody knows how far it is.
    return logEnd < 0 ? { logEnd } : { logEnd, lag: partition.log.logEndOffset - logEnd }
  },
  client: (broker, key) => ({ connections: broker.connectionsOf(key) }),
}

function leading(broker: Broker, name: string): Partition | undefined {
  const { before: topic, after: index } = cut(name, name.lastIndexOf('-'))
  const partition = broker.replicas.byName(topic, Number(index))
  return partition?.leads ? partition : undefined
}

function cut(text: string, at: number): { before: string; after: string } {
  return { before: text.slice(0, at), after: text.slice(at + 1) }
}
