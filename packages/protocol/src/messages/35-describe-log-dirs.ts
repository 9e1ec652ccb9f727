// DescribeLogDirs: sizes of replicas by log directory (KIP-113).
import { api, array, bool, int16, int32, int64, string } from '../schema/index.ts'

export const describeLogDirs = api(
  35,
  'DescribeLogDirs',
  { versions: '1-5', flexible: '2+' },
  {
    request: { topics: array('0+', { topic: string('0+'), partitions: array('0+', int32) }, { nullable: '0+' }) },
    response: {
      throttleTimeMs: int32('0+'),
      errorCode: int16('3+', { ignorable: true }),
      results: array('0+', {
        errorCode: int16('0+'),
        logDir: string('0+'),
        topics: array('0+', {
          name: string('0+'),
          partitions: array('0+', {
            partitionIndex: int32('0+'),
            partitionSize: int64('0+'),
            offsetLag: int64('0+'),
            isFutureKey: bool('0+'),
          }),
        }),
        totalBytes: int64('4+', { default: -1, ignorable: true }),
        usableBytes: int64('4+', { default: -1, ignorable: true }),
        isCordoned: bool('5+', { ignorable: true }),
      }),
    },
  },
)
