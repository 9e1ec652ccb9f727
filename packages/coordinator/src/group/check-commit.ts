// Who may commit: a member of the current generation, or anybody while the group has no members. Everything older is fenced.
import { type ErrorCode, Errors } from '@faultline/protocol'
import type { ClassicGroup } from './classic-group.ts'
import type { CommitRequest } from './offset-commit.ts'
import type { TransactionalCommitRequest } from './txn-offset-commit.ts'

/** Since here a group that does not exist has an error of its own. */
const GROUP_ID_NOT_FOUND_SINCE = 9

export function checkCommit(group: ClassicGroup | undefined, request: CommitRequest, version: number): ErrorCode {
  const { memberId, groupInstanceId, generationIdOrMemberEpoch: generation } = request
  if (!group) {
    // Whoever assigns partitions itself has no generation, and its group begins with its first commit.
    if (generation < 0) return Errors.NONE
    return version >= GROUP_ID_NOT_FOUND_SINCE ? Errors.GROUP_ID_NOT_FOUND : Errors.ILLEGAL_GENERATION
  }
  if (generation < 0 && group.state === 'Empty') return Errors.NONE
  if (generation < 0 && memberId === '' && groupInstanceId === null) return Errors.UNKNOWN_MEMBER_ID
  const unknown = group.checkMember(memberId, groupInstanceId)
  if (unknown !== Errors.NONE) return unknown
  if (generation !== group.generation) return Errors.ILLEGAL_GENERATION
  // It has heard of the generation, but not yet of what it is to read.
  return group.state === 'CompletingRebalance' ? Errors.REBALANCE_IN_PROGRESS : Errors.NONE
}

/** In a transaction the producer's epoch fences already: a commit without a member is taken, and one while members wait for the leader. */
export function checkTransactionalCommit(group: ClassicGroup | undefined, request: TransactionalCommitRequest): ErrorCode {
  const { memberId, groupInstanceId, generationIdOrMemberEpoch: generation } = request
  if (!group) return generation < 0 ? Errors.NONE : Errors.ILLEGAL_GENERATION
  if (generation < 0 && (group.state === 'Empty' || (memberId === '' && groupInstanceId === null))) return Errors.NONE
  const unknown = group.checkMember(memberId, groupInstanceId)
  if (unknown !== Errors.NONE) return unknown
  return generation === group.generation ? Errors.NONE : Errors.ILLEGAL_GENERATION
}
