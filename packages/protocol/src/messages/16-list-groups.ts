// ListGroups: the groups that a broker coordinates, by state (KIP-518) and by type (KIP-848).
import { api, array, int16, int32, string } from '../schema/index.ts'

export const listGroups = api(
  16,
  'ListGroups',
  { versions: '0-5', flexible: '3+' },
  {
    request: { statesFilter: array('4+', string), typesFilter: array('5+', string) },
    response: {
      throttleTimeMs: int32('1+', { ignorable: true }),
      errorCode: int16('0+'),
      groups: array('0+', {
        groupId: string('0+'),
        protocolType: string('0+'),
        groupState: string('4+', { ignorable: true }),
        groupType: string('5+', { ignorable: true }),
      }),
    },
  },
)
