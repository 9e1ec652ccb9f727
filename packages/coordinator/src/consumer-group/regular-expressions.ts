// Subscriptions by regular expression, in RE2's syntax: they are resolved here, for the whole group, and never in the request that brings
// them, because that takes a look at every topic there is. When a topic comes they are resolved again.
import { Errors } from '@faultline/protocol'
import type { GroupShard } from '../group/group-shard.ts'
import { compileRegex, MAX_REGEX_LENGTH } from '../regular-expression.ts'
import type { ConsumerGroup, ResolvedRegex } from './consumer-group.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { regexRecord } from './consumer-records.ts'
import { bumpEpoch, carryOut, type GroupError, groupError, planFor } from './group-plan.ts'
import { metadataHash, topicsOfAll } from './subscriptions.ts'

/** Not more often than this, whatever happens. */
const MIN_INTERVAL_MS = 10_000
/** At least this often, in case it was missed that a topic came. */
const MAX_INTERVAL_MS = 600_000
/** Resolving gives way to everything else on the loop after this long. */
const SLICE_MS = 5

/** One that the group has already is known to be well. */
export function checkRegex(group: ConsumerGroup, before: ConsumerMember, after: ConsumerMember): GroupError | undefined {
  const regex = after.subscribedTopicRegex
  if (regex === '' || regex === before.subscribedTopicRegex || group.regexes.has(regex)) return undefined
  const compiled = compileRegex(regex)
  if (typeof compiled !== 'string') return undefined
  const shown = regex.slice(0, MAX_REGEX_LENGTH)
  const message = `SubscribedTopicRegex \`${shown}\` is not a valid regular expression: ${compiled}.`
  return groupError(Errors.INVALID_REGULAR_EXPRESSION, message)
}

/** Begins to resolve the group's regular expressions if it is time to. */
export function refreshRegexes(shard: GroupShard, group: ConsumerGroup): void {
  const wanted = regexesOf(group)
  if (wanted.size === 0 || group.resolving || !isDue(shard, group, wanted)) return
  group.resolving = true
  const version = shard.topics.version()
  const resolution = resolve(wanted, [...shard.topics.names()])
  const slice = shard.context.deadline(() => {
    const topics = runSlice(shard, resolution)
    if (!topics) return slice.set(0)
    group.resolving = false
    if (shard.consumerGroups.get(group.id) === group) adopt(shard, group, topics, version)
  })
  slice.set(0)
}

function regexesOf(group: ConsumerGroup): ReadonlySet<string> {
  const regexes = new Set<string>()
  for (const { subscribedTopicRegex: regex } of group.members.values()) if (regex !== '') regexes.add(regex)
  return regexes
}

function isDue(shard: GroupShard, group: ConsumerGroup, wanted: ReadonlySet<string>): boolean {
  let [timestamp, version] = [Number.NEGATIVE_INFINITY, -1]
  for (const resolved of group.regexes.values()) {
    timestamp = Math.max(timestamp, resolved.timestamp)
    version = Math.max(version, resolved.version)
  }
  const sinceMs = shard.context.clock.wall() - timestamp
  if (sinceMs < MIN_INTERVAL_MS) return false
  const isUnresolved = [...wanted].some((regex) => !group.regexes.has(regex))
  return isUnresolved || shard.newTopicsVersion > version || sinceMs >= MAX_INTERVAL_MS
}

type Topics = Map<string, Set<string>>

/** Yields after each expression and each topic. */
function* resolve(regexes: ReadonlySet<string>, names: readonly string[]): Generator<undefined, Topics> {
  const resolved: Topics = new Map()
  for (const regex of regexes) {
    const pattern = compileRegex(regex)
    const topics = new Set<string>()
    resolved.set(regex, topics)
    // The log may hold what was not checked here.
    if (typeof pattern === 'string') continue
    yield undefined
    for (const name of names) {
      if (pattern.matches(name)) topics.add(name)
      yield undefined
    }
  }
  return resolved
}

/** Undefined while there is more to do. */
function runSlice(shard: GroupShard, resolution: Generator<undefined, Topics>): Topics | undefined {
  const until = shard.context.clock.mono() + SLICE_MS
  do {
    const step = resolution.next()
    if (step.done) return step.value
  } while (shard.context.clock.mono() < until)
  return undefined
}

/** Members may have changed theirs meanwhile: only what somebody still wants counts. If the log refuses it, a later heartbeat tries again. */
function adopt(shard: GroupShard, group: ConsumerGroup, resolved: Topics, version: number): void {
  const plan = planFor(shard, group)
  const timestamp = shard.context.clock.wall()
  const next = new Map<string, ResolvedRegex>(group.regexes)
  let changed = false
  for (const regex of regexesOf(group)) {
    const topics = resolved.get(regex)
    if (!topics) continue
    const before = group.regexes.get(regex)?.topics ?? new Set()
    changed ||= topics.size !== before.size || [...topics].some((name) => !before.has(name))
    next.set(regex, { topics, version, timestamp })
    plan.records.push(regexRecord(group.id, regex, next.get(regex)!))
  }
  if (changed) bumpEpoch(plan, metadataHash(topicsOfAll(group.members.values(), next), shard.topics))
  carryOut(plan, 'regular expressions were resolved')
}
