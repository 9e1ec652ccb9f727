// DeleteRecords: moves the log start offset of partitions (KIP-107).
import { api, array, int16, int32, int64, string } from '../schema/index.ts'

export const deleteRecords = api(
  21,
  'DeleteRecords',
  { versions: '0-2', flexible: '2+' },
  {
    request: {
      topics: array('0+', { name: string('0+'), partitions: array('0+', { partitionIndex: int32('0+'), offset: int64('0+') }) }),
      timeoutMs: int32('0+'),
    },
    response: {
      throttleTimeMs: int32('0+'),
      topics: array('0+', {
        name: string('0+'),
        partitions: array('0+', { partitionIndex: int32('0+'), lowWatermark: int64('0+'), errorCode: int16('0+') }),
      }),
    },
  },
)
