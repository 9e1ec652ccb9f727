// InitProducerId: a producer id and epoch for an idempotent or transactional producer. Version 6 is unstable in Kafka 4.4 and
// left out.
import { api, int16, int32, int64, string } from '../schema/index.ts'

export const initProducerId = api(
  22,
  'InitProducerId',
  { versions: '0-5', flexible: '2+' },
  {
    request: {
      transactionalId: string('0+', { nullable: '0+' }),
      transactionTimeoutMs: int32('0+'),
      producerId: int64('3+', { default: -1 }),
      producerEpoch: int16('3+', { default: -1 }),
    },
    response: {
      throttleTimeMs: int32('0+', { ignorable: true }),
      errorCode: int16('0+'),
      producerId: int64('0+', { default: -1 }),
      producerEpoch: int16('0+'),
    },
  },
)
