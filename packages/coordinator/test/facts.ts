// What records say of a shard, in a form that can be compared: a replay of the log with the live coordinator, or one log with another.
import { Prng } from '@faultline/base'
import type { ConsumerGroup } from '../src/consumer-group/consumer-group.ts'
import { GroupShard } from '../src/group/group-shard.ts'
import { Deadline } from '../src/runtime/deadline.ts'
import type { CoordinatorRecord } from '../src/runtime/ports.ts'
import { CONFIG, TestClock, TOPICS } from './support.ts'

export function emptyShard(): GroupShard {
  const clock = new TestClock()
  const context = {
    clock,
    random: new Prng(1),
    epoch: 1,
    append: () => 0 as const,
    appendEnd: () => 0 as const,
    whenCommitted: () => {},
    whileActive: <T>(run: (value: T) => void) => run,
    appendInParts: () => 0 as const,
    deadline: (expire: () => void) => new Deadline(clock, new Set(), expire),
    emit: () => {},
  }
  return new GroupShard(context, CONFIG, {
    idOf: (name) => TOPICS.get(name),
    nameOf: () => undefined,
    hasPartition: () => true,
    partitionCountOf: () => 4,
    names: () => TOPICS.keys(),
    version: () => 0,
  })
}

export function replayed(records: Iterable<CoordinatorRecord>): GroupShard {
  const shard = emptyShard()
  for (const record of records) shard.replay(record, -1)
  return shard
}

/** All that records say of a shard, but of groups that are on their way to a new generation. */
export function facts(shard: GroupShard, settled: (id: string) => boolean) {
  const groups = [...shard.groups.values()].map((g) => {
    if (!settled(g.id)) return [g.id]
    const members = [...g.members.values()].map((m) => ({
      ...m.toRecord(g.protocolName),
      subscription: [...(m.metadataFor(g.protocolName) ?? [])],
      assignment: [...m.assignment],
      holds: m.instanceId === null ? undefined : g.staticMember(m.instanceId),
    }))
    return [g.id, g.stored, g.state, g.generation, g.protocolType, g.protocolName, g.leader, g.stateTimestamp, members]
  })
  const offsets = [...shard.offsets.groups].map((g) => [
    g,
    [...shard.offsets.topicsOf(g)].map(([t, p]) => [t, [...p].sort()]).sort(),
  ])
  return {
    groups: groups.sort(),
    consumerGroups: [...shard.consumerGroups.values()].map(consumerFacts).sort(),
    offsets: offsets.sort(),
  }
}

function consumerFacts(group: ConsumerGroup) {
  const { id, epoch, metadataHash, assignmentEpoch, assignmentTimestamp, state } = group
  const members = [...group.members.values()].map((m) => [
    m,
    plain(m.assigned),
    plain(m.pendingRevocation),
    m.instanceId === null ? undefined : group.staticMember(m.instanceId)?.id,
  ])
  const targets = [...group.targets].map(([member, target]) => [member, plain(target)])
  const byId = (a: unknown[], b: unknown[]) => (JSON.stringify(a[0]) < JSON.stringify(b[0]) ? -1 : 1)
  return [
    id,
    { epoch, metadataHash, assignmentEpoch, assignmentTimestamp, state },
    members.sort(byId),
    targets.sort(byId),
    [...group.regexes].sort(),
    owners(group),
  ]
}

function plain(partitions: ReadonlyMap<string, Iterable<unknown>>) {
  return [...partitions].map(([topic, all]) => [topic, [...all].sort()]).sort()
}

/** Which of the partitions that there may be are with somebody. */
function owners(group: ConsumerGroup): string[] {
  return [...TOPICS.values()].flatMap((id) => Array.from({ length: 9 }, (_, p) => `${id}/${p} ${group.isFree(id, p)}`))
}

/** The last record of each key, as the log cleaner leaves them. */
export function compacted(records: readonly CoordinatorRecord[]): CoordinatorRecord[] {
  const last = new Map(records.map((record, i) => [String(record.key), i]))
  return records.filter((record, i) => last.get(String(record.key)) === i)
}
