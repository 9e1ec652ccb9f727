// The committed metadata log for brokers, from the active controller only: a broker that is cut off from it stays ignorant, as in Kafka.
import { Errors } from '@faultline/protocol'
import type { Entry, RaftDriver } from '@faultline/raft'
import type { FollowMetadataRequest, MessageStream, MetadataBatch } from '@faultline/rpc'

type Stream = MessageStream<FollowMetadataRequest, MetadataBatch>

export class MetadataPublisher {
  readonly #followers = new Map<Stream, { sent: number }>()
  readonly #raft: RaftDriver

  constructor(raft: RaftDriver) {
    this.#raft = raft
  }

  /** `active`: whether this node leads now; else the stream is told who may. */
  follow(stream: Stream, active: () => boolean): void {
    stream.onClose = () => this.#followers.delete(stream)
    stream.onMessage = ({ afterOffset }) => {
      if (!active()) {
        stream.send({ error: Errors.NOT_CONTROLLER, leader: this.#raft.status().leader })
        return stream.close()
      }
      const follower = { sent: afterOffset }
      this.#followers.set(stream, follower)
      this.#catchUp(stream, follower)
    }
  }

  publish(committed: readonly Entry[]): void {
    if (this.#followers.size === 0 || committed.length === 0) return
    for (const [stream, follower] of this.#followers) {
      const entries = committed.filter((e) => e.index > follower.sent).map(toMessage)
      if (entries.length === 0) continue
      follower.sent = entries.at(-1)!.offset
      stream.send({ error: Errors.NONE, leader: this.#raft.status().leader, entries })
    }
  }

  closeAll(): void {
    for (const stream of [...this.#followers.keys()]) {
      stream.send({ error: Errors.NOT_CONTROLLER, leader: this.#raft.status().leader })
      stream.close()
    }
    this.#followers.clear()
  }

  #catchUp(stream: Stream, follower: { sent: number }): void {
    const { snapshot, entries, commit } = this.#raft.entriesSinceSnapshot()
    const fromSnapshot = snapshot && follower.sent < snapshot.index
    if (fromSnapshot) follower.sent = snapshot.index
    const missing = entries.filter((e) => e.index > follower.sent && e.index <= commit)
    follower.sent = missing.at(-1)?.index ?? follower.sent
    stream.send({
      error: Errors.NONE,
      leader: this.#raft.status().leader,
      entries: missing.map(toMessage),
      ...(fromSnapshot
        ? { hasSnapshot: true, snapshotOffset: snapshot.index, snapshotEpoch: snapshot.term, snapshot: snapshot.data }
        : {}),
    })
  }
}

function toMessage(entry: Entry) {
  return { offset: entry.index, epoch: entry.term, records: entry.data }
}
