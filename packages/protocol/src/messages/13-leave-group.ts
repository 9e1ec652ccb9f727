// LeaveGroup: members leave a classic group; several at once from 3 (KIP-345).
import { api, array, int16, int32, string } from '../schema/index.ts'

export const leaveGroup = api(
  13,
  'LeaveGroup',
  { versions: '0-5', flexible: '4+' },
  {
    request: {
      groupId: string('0+'),
      memberId: string('0-2'),
      members: array('3+', {
        memberId: string('3+'),
        groupInstanceId: string('3+', { nullable: '3+', default: null }),
        reason: string('5+', { nullable: '5+', default: null, ignorable: true }),
      }),
    },
    response: {
      throttleTimeMs: int32('1+', { ignorable: true }),
      errorCode: int16('0+'),
      members: array('3+', { memberId: string('3+'), groupInstanceId: string('3+', { nullable: '3+' }), errorCode: int16('3+') }),
    },
  },
)
