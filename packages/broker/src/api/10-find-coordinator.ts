// FindCoordinator: the leader of the partition that a group or a transactional id belongs to. The internal topic comes into being when it is first asked for.
import { partitionOf } from '@faultline/coordinator'
import { type ErrorCode, Errors, findCoordinator, type ResponseInput } from '@faultline/protocol'
import { GROUP_TOPIC } from '../coordinator/group-coordination.ts'
import { TRANSACTION_TOPIC } from '../transaction/transaction-coordination.ts'
import { handler, type RequestContext } from './handler.ts'

type Coordinator = NonNullable<ResponseInput<typeof findCoordinator>['coordinators']>[number]

/** Where the coordinators of each type of key live. */
const TOPICS: ReadonlyMap<number, string> = new Map([
  [0, GROUP_TOPIC],
  [1, TRANSACTION_TOPIC],
])
/** Since here several keys come at once. */
const SEVERAL_SINCE = 4

export const findCoordinatorHandler = handler(findCoordinator, (request, context) => {
  if (context.version >= SEVERAL_SINCE)
    return { coordinators: request.coordinatorKeys.map((key) => ({ key, ...find(context, request.keyType, key) })) }
  const found = find(context, request.keyType, request.key)
  // Kafka has a message here even where nothing is wrong; the newer form leaves it empty.
  return found.errorCode === Errors.NONE ? { ...found, errorMessage: 'NONE' } : found
})

function find(context: RequestContext, keyType: number, key: string): Coordinator {
  const { broker, listener } = context
  const name = TOPICS.get(keyType)
  if (name === undefined) return nobody(Errors.INVALID_REQUEST, `There is no coordinator of type ${keyType}.`)
  const topic = broker.image.topicsByName.get(name)
  if (!topic) {
    void broker.autoTopics.create(name)
    return nobody(Errors.COORDINATOR_NOT_AVAILABLE, NOT_AVAILABLE)
  }
  const { leader } = topic.partitions[partitionOf(key, topic.partitions.length)]!
  const [endpoint] = broker.endpointsOf([leader], listener)
  if (!endpoint || broker.image.brokers.get(leader)!.fenced) return nobody(Errors.COORDINATOR_NOT_AVAILABLE, NOT_AVAILABLE)
  return { errorCode: Errors.NONE, errorMessage: '', nodeId: leader, host: endpoint.host, port: endpoint.port }
}

const NOT_AVAILABLE = 'The coordinator is not available.'

function nobody(errorCode: ErrorCode, errorMessage: string): Coordinator {
  return { errorCode, errorMessage, nodeId: -1, host: '', port: -1 }
}
