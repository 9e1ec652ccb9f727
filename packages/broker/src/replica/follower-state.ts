// What a leader knows of one follower, from the follower's own fetches.

export class FollowerState {
  logEndOffset = -1
  logStartOffset = -1
  /** Broker epoch of the incarnation that fetched last (KIP-903). */
  brokerEpoch = -1
  /** Wall time at which the follower last had everything that the leader had. */
  lastCaughtUpMs = 0
  #lastFetchLeaderEnd = 0
  #lastFetchMs = 0

  /** A new leader epoch: members of the ISR start with the benefit of the doubt. */
  reset(inIsr: boolean, now: number): void {
    this.logEndOffset = -1
    this.logStartOffset = -1
    this.lastCaughtUpMs = inIsr ? now : 0
    this.#lastFetchLeaderEnd = 0
    this.#lastFetchMs = inIsr ? now : 0
  }

  /** A fetch that reached up to the end of the leader's log, now or at the time of the fetch before, was caught up then. */
  fetched(offset: number, logStartOffset: number, leaderEnd: number, brokerEpoch: number, now: number): void {
    if (offset >= leaderEnd) this.lastCaughtUpMs = Math.max(this.lastCaughtUpMs, now)
    else if (offset >= this.#lastFetchLeaderEnd) this.lastCaughtUpMs = Math.max(this.lastCaughtUpMs, this.#lastFetchMs)
    this.logEndOffset = offset
    this.logStartOffset = logStartOffset
    this.brokerEpoch = brokerEpoch
    this.#lastFetchLeaderEnd = leaderEnd
    this.#lastFetchMs = now
  }

  isCaughtUp(leaderEnd: number, now: number, lagMaxMs: number): boolean {
    return this.logEndOffset === leaderEnd || now - this.lastCaughtUpMs <= lagMaxMs
  }
}
