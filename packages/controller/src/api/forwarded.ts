// The client APIs that the active controller answers; brokers pass their bytes on unchanged (KIP-590).
import {
  alterConfigs,
  createPartitions,
  createTopics,
  deleteTopics,
  describeQuorum,
  electLeaders,
  incrementalAlterConfigs,
} from '@faultline/protocol'
import { planAlterConfigs } from '../plan/alter-configs.ts'
import { planCreatePartitions } from '../plan/create-partitions.ts'
import { planCreateTopics } from '../plan/create-topics.ts'
import { planDeleteTopics } from '../plan/delete-topics.ts'
import { planElectLeaders } from '../plan/elect-leaders.ts'
import { planLegacyAlterConfigs } from '../plan/legacy-alter-configs.ts'
import type { Plan, PlanContext } from '../plan/plan.ts'
import { answerDescribeQuorum, type QuorumView } from './describe-quorum.ts'

/** One API: bytes of the request body to a plan whose response is bytes. Decoding may throw MalformedError. */
export interface ForwardedApi {
  plan(context: PlanContext, body: Uint8Array, version: number, quorum: () => QuorumView): Plan<Uint8Array>
}

interface Message<T> {
  decode(bytes: Uint8Array, version: number): T
}
interface Reply<T> {
  encode(value: T, version: number): Uint8Array[]
}

function forwarded<Request, Response>(
  api: { key: number; request: Message<Request>; response: Reply<Response> },
  planner: (context: PlanContext, request: Request, version: number, quorum: () => QuorumView) => Plan<Response>,
): [number, ForwardedApi] {
  const plan: ForwardedApi['plan'] = (context, body, version, quorum) => {
    const { records, response } = planner(context, api.request.decode(body, version), version, quorum)
    return { records, response: Buffer.concat(api.response.encode(response, version)) }
  }
  return [api.key, { plan }]
}

export const FORWARDED_APIS: ReadonlyMap<number, ForwardedApi> = new Map([
  forwarded(createTopics, planCreateTopics),
  forwarded(deleteTopics, planDeleteTopics),
  forwarded(createPartitions, planCreatePartitions),
  forwarded(alterConfigs, planLegacyAlterConfigs),
  forwarded(electLeaders, planElectLeaders),
  forwarded(incrementalAlterConfigs, planAlterConfigs),
  forwarded(describeQuorum, (_context, request, _version, quorum) => ({
    records: [],
    response: answerDescribeQuorum(request, quorum()),
  })),
])
