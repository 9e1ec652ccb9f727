// Answers about who leads what that are not true: what was true once (stale), another replica as the leader (wrong-leader), or none.
import { Errors, metadata as metadataApi } from '@faultline/protocol'
import type { Decoded } from '../request-subject.ts'
import type { FaultyCall, ProtocolKind } from './kind.ts'

interface PartitionAnswer extends Decoded {
  readonly leaderId: number
  readonly replicaNodes: readonly number[]
}

export const metadata: ProtocolKind = {
  kind: 'metadata',
  async act(call, request, next) {
    if (call.api.key !== metadataApi.key) return next(request)
    const mode = call.armed.text('mode', 'stale')
    // To remember what is true now is not a hit; to say it later is.
    if (mode === 'stale') return stale(call, request, () => next(request))
    const answer = await next(request)
    if (typeof answer === 'symbol' || !call.hit()) return answer
    return lie(answer, call, mode === 'no-leader' ? noLeader : wrongLeader)
  },
}

async function stale<T>({ armed, context, hit }: FaultyCall, request: Decoded, truth: () => Promise<T>): Promise<T> {
  const { memory } = armed
  const key = `${context.version} ${JSON.stringify(request)}`
  if (memory.has(key) && hit()) return memory.get(key) as T
  const answer = await truth()
  if (!memory.has(key)) memory.set(key, answer)
  return answer
}

function lie(answer: Decoded, { armed }: FaultyCall, about: (p: PartitionAnswer) => PartitionAnswer): Decoded {
  const { topic: wanted, partition } = armed.fault.where
  const topics = (answer['topics'] as Decoded[]).map((topic) => {
    if (wanted !== undefined && topic['name'] !== wanted) return topic
    const partitions = (topic['partitions'] as PartitionAnswer[]).map((p) =>
      partition === undefined || p['partitionIndex'] === partition ? about(p) : p,
    )
    return { ...topic, partitions }
  })
  return { ...answer, topics }
}

function wrongLeader(p: PartitionAnswer): PartitionAnswer {
  const other = p.replicaNodes[(p.replicaNodes.indexOf(p.leaderId) + 1) % p.replicaNodes.length]
  return { ...p, leaderId: other ?? p.leaderId }
}

function noLeader(p: PartitionAnswer): PartitionAnswer {
  return { ...p, leaderId: -1, errorCode: Errors.LEADER_NOT_AVAILABLE }
}
