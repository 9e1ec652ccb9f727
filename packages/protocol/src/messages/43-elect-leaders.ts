// ElectLeaders: preferred (type 0) or unclean (type 1, KIP-460) elections on demand.
import { api, array, int16, int32, int8, string } from '../schema/index.ts'

export const electLeaders = api(
  43,
  'ElectLeaders',
  { versions: '0-2', flexible: '2+' },
  {
    request: {
      electionType: int8('1+'),
      topicPartitions: array('0+', { topic: string('0+'), partitions: array('0+', int32) }, { nullable: '0+' }),
      timeoutMs: int32('0+', { default: 60000 }),
    },
    response: {
      throttleTimeMs: int32('0+'),
      errorCode: int16('1+'),
      replicaElectionResults: array('0+', {
        topic: string('0+'),
        partitionResult: array('0+', {
          partitionId: int32('0+'),
          errorCode: int16('0+'),
          errorMessage: string('0+', { nullable: '0+' }),
        }),
      }),
    },
  },
)
