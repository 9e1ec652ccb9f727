// EndTxn: commit or abort. Since 5 the answer carries the epoch of the next transaction (KIP-890).
import { api, bool, int16, int32, int64, string } from '../schema/index.ts'

export const endTxn = api(
  26,
  'EndTxn',
  { versions: '0-5', flexible: '3+' },
  {
    request: {
      transactionalId: string('0+'),
      producerId: int64('0+'),
      producerEpoch: int16('0+'),
      committed: bool('0+'),
    },
    response: {
      throttleTimeMs: int32('0+'),
      errorCode: int16('0+'),
      producerId: int64('5+', { default: -1, ignorable: true }),
      producerEpoch: int16('5+', { default: -1, ignorable: true }),
    },
  },
)
