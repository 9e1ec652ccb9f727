// AddPartitionsToTxn: partitions become part of an open transaction. Since 4 brokers ask it for several transactions at once, to verify
// before they append (KIP-890); clients stay with 3.
import { api, array, bool, int16, int32, int64, string } from '../schema/index.ts'

const topics = { name: string('0+'), partitions: array('0+', int32) }
const topicResults = {
  name: string('0+'),
  resultsByPartition: array('0+', { partitionIndex: int32('0+'), partitionErrorCode: int16('0+') }),
}

export const addPartitionsToTxn = api(
  24,
  'AddPartitionsToTxn',
  { versions: '0-5', flexible: '3+' },
  {
    request: {
      transactions: array('4+', {
        transactionalId: string('4+'),
        producerId: int64('4+'),
        producerEpoch: int16('4+'),
        verifyOnly: bool('4+'),
        topics: array('4+', topics),
      }),
      v3AndBelowTransactionalId: string('0-3'),
      v3AndBelowProducerId: int64('0-3'),
      v3AndBelowProducerEpoch: int16('0-3'),
      v3AndBelowTopics: array('0-3', topics),
    },
    response: {
      throttleTimeMs: int32('0+'),
      errorCode: int16('4+', { ignorable: true }),
      resultsByTransaction: array('4+', { transactionalId: string('4+'), topicResults: array('4+', topicResults) }),
      resultsByTopicV3AndBelow: array('0-3', topicResults),
    },
  },
)
