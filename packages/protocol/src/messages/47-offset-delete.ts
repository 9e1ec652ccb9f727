// OffsetDelete: forgets a group's positions in topics it no longer reads (KIP-496).
import { api, array, int16, int32, string } from '../schema/index.ts'

export const offsetDelete = api(
  47,
  'OffsetDelete',
  { versions: '0', flexible: 'none' },
  {
    request: {
      groupId: string('0+'),
      topics: array('0+', { name: string('0+'), partitions: array('0+', { partitionIndex: int32('0+') }) }),
    },
    response: {
      errorCode: int16('0+'),
      throttleTimeMs: int32('0+', { ignorable: true }),
      topics: array('0+', {
        name: string('0+'),
        partitions: array('0+', { partitionIndex: int32('0+'), errorCode: int16('0+') }),
      }),
    },
  },
)
