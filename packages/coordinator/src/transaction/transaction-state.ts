// The states of a transactional id, their numbers in the log, and from which each may be entered.

export const TRANSACTION_STATES = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
] as const

/**
 * Dead and PrepareEpochFence are names that administrators may filter by; nothing here is ever in them: an id that is removed is gone, and
 * a producer is fenced in the step that begins to abort its transaction.
 */
export type TransactionState = Exclude<(typeof TRANSACTION_STATES)[number], 'Dead' | 'PrepareEpochFence'>

/** Since KIP-890 what is not open can be aborted, too: the producer does not know whether anything of it arrived. */
const PREVIOUS: Record<TransactionState, readonly TransactionState[]> = {
  Empty: ['Empty', 'CompleteCommit', 'CompleteAbort'],
  Ongoing: ['Ongoing', 'Empty', 'CompleteCommit', 'CompleteAbort'],
  PrepareCommit: ['Ongoing'],
  PrepareAbort: ['Ongoing', 'Empty', 'CompleteCommit', 'CompleteAbort'],
  CompleteCommit: ['PrepareCommit'],
  CompleteAbort: ['PrepareAbort'],
}

export function mayFollow(state: TransactionState, next: TransactionState): boolean {
  return PREVIOUS[next].includes(state)
}

export function stateNumber(state: TransactionState): number {
  return TRANSACTION_STATES.indexOf(state)
}

/** Undefined for a number that stands for no state that is ever written. */
export function stateOfNumber(number: number): TransactionState | undefined {
  const state = TRANSACTION_STATES[number]
  return state === 'Dead' || state === 'PrepareEpochFence' ? undefined : state
}
