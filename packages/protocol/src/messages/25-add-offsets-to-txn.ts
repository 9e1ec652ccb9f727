// AddOffsetsToTxn: the partition of __consumer_offsets that holds a group's offsets becomes part of a transaction.
import { api, int16, int32, int64, string } from '../schema/index.ts'

export const addOffsetsToTxn = api(
  25,
  'AddOffsetsToTxn',
  { versions: '0-4', flexible: '3+' },
  {
    request: {
      transactionalId: string('0+'),
      producerId: int64('0+'),
      producerEpoch: int16('0+'),
      groupId: string('0+'),
    },
    response: { throttleTimeMs: int32('0+'), errorCode: int16('0+') },
  },
)
