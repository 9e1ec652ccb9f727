// Topics have changed: groups look at theirs again when a member is heard from.
import type { GroupShard } from '../group/group-shard.ts'

export function topicsChanged(shard: GroupShard, created: boolean): void {
  if (created) shard.newTopicsVersion = shard.topics.version()
  for (const group of shard.consumerGroups.values()) group.hashIsStale = true
}
