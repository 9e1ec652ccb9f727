// DescribeCluster: the brokers that a client can reach on its listener (KIP-700, KIP-919, KIP-1073).
import { describeCluster, Errors } from '@faultline/protocol'
import { anyBroker } from './03-metadata.ts'
import { CLUSTER_OPERATIONS } from './authorized-operations.ts'
import { handler } from './handler.ts'

const NOT_ASKED = -2147483648
const BROKERS = 1
const CONTROLLERS = 2

export const describeClusterHandler = handler(describeCluster, (request, { broker, listener }) => {
  const { endpointType } = request
  if (endpointType !== BROKERS) {
    const errorCode = endpointType === CONTROLLERS ? Errors.MISMATCHED_ENDPOINT_TYPE : Errors.UNSUPPORTED_ENDPOINT_TYPE
    return {
      errorCode,
      errorMessage: 'The request was sent to an endpoint of another type.',
      endpointType: BROKERS,
      clusterId: '',
      brokers: [],
    }
  }
  const shown = [...broker.image.brokers.values()].filter((b) => request.includeFencedBrokers || !b.fenced)
  const brokers = shown.flatMap(({ id, listeners, rack, fenced }) => {
    const endpoint = listeners.find((l) => l.name === listener)
    return endpoint ? [{ brokerId: id, host: endpoint.host, port: endpoint.port, rack, isFenced: fenced }] : []
  })
  const clusterAuthorizedOperations = request.includeClusterAuthorizedOperations ? CLUSTER_OPERATIONS : NOT_ASKED
  return {
    errorCode: Errors.NONE,
    clusterAuthorizedOperations,
    endpointType: BROKERS,
    clusterId: broker.clusterId,
    controllerId: anyBroker(broker),
    brokers,
  }
})
