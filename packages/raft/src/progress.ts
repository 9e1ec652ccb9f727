// What a leader knows about one follower, and how fast it may send to it.
import type { Snapshot } from './types.ts'

interface SnapshotTransfer {
  readonly snapshot: Snapshot
  /** The piece that is on its way. */
  offset: number
}

/**
 * `probe`: where the logs agree is unknown; one message at a time. `replicate`: entries are sent ahead of the answers.
 * `snapshot`: the follower needs entries that are compacted away.
 */
export type ProgressState = 'probe' | 'replicate' | 'snapshot'

export class Progress {
  state: ProgressState = 'probe'
  /** The follower's log is durable and equals the leader's up to here. */
  match = 0
  /** The next entry to send. */
  next: number
  /** probe: a message is out, and neither an answer nor a heartbeat's answer has come back. */
  probing = false
  /** replicate: the last index of every append that is out. */
  inflight: number[] = []
  /** snapshot: what is being sent. */
  transfer: SnapshotTransfer | undefined
  /** When entries, or a piece of a snapshot, were last sent. */
  sentAt = Number.NEGATIVE_INFINITY
  /** The commit index that the follower can know from what was sent to it. */
  commitSent = 0
  /** The latest round of read confirmations that it answered. */
  round = 0
  lastContact: number

  constructor(next: number, now: number) {
    this.next = next
    this.lastContact = now
  }

  becomeProbe(next: number): void {
    this.state = 'probe'
    this.next = next
    this.probing = false
    this.inflight = []
    this.transfer = undefined
  }

  becomeReplicate(): void {
    this.state = 'replicate'
    this.next = this.match + 1
    this.probing = false
    this.inflight = []
    this.transfer = undefined
  }

  becomeSnapshot(snapshot: Snapshot): void {
    this.state = 'snapshot'
    this.probing = false
    this.inflight = []
    this.transfer = { snapshot, offset: 0 }
  }

  accepted(index: number): void {
    if (index > this.match) this.match = index
    const behindSnapshot = this.transfer !== undefined && index < this.transfer.snapshot.index
    if (this.state !== 'replicate' && !behindSnapshot) this.becomeReplicate()
    this.next = Math.max(this.next, this.match + 1)
    while (this.inflight.length > 0 && this.inflight[0]! <= index) this.inflight.shift()
  }

  /** The follower refused entries after `index`; `nextProbe` may fit. Returns false for an answer to something older. */
  refused(index: number, nextProbe: number): boolean {
    // All logs agree before the first entry: this was an answer to a message of an earlier term, to tell of the later one.
    if (this.state === 'snapshot' || index === 0) return false
    if (this.state === 'replicate') {
      this.becomeProbe(this.match + 1)
      return true
    }
    if (index !== this.next - 1) return false
    // A follower that refuses what it had confirmed has lost its disk: believe the answer, so that it is filled again.
    this.match = Math.min(this.match, nextProbe - 1)
    this.becomeProbe(Math.max(nextProbe, 1))
    return true
  }
}
