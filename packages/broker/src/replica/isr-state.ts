// The ISR as a leader acts on it: what the controller has committed, and what it has been asked for but not yet confirmed (KIP-497).

export interface IsrState {
  readonly committed: readonly number[]
  /** The ISR asked for; undefined when nothing is in flight. */
  readonly proposed: readonly number[] | undefined
}

export function settledIsr(committed: readonly number[]): IsrState {
  return { committed, proposed: undefined }
}

/**
 * The maximal ISR: whoever may be in the ISR, whatever the controller answers. The high watermark waits for all of them: a member that is
 * being added counts already, one that is being removed still does.
 */
export function maximalIsr({ committed, proposed }: IsrState): readonly number[] {
  return proposed && proposed.length > committed.length ? proposed : committed
}
