// DescribeQuorum is answered by the active controller.
import { serverNumber } from '@faultline/controller'
import { describeQuorum } from '@faultline/protocol'
import { forwarded } from './forward.ts'

export const describeQuorumHandler = forwarded(
  describeQuorum,
  (_request, { broker }) => serverNumber(broker.statics, 'request.timeout.ms'),
  (_request, errorCode) => ({ errorCode, errorMessage: null, topics: [], nodes: [] }),
)
