// Sends ISR changes to the controller: one request in flight, everything that gathered meanwhile in the next one.
import type { Clock } from '@faultline/base'
import { Errors } from '@faultline/protocol'
import type { AlterPartitionResult } from '@faultline/rpc'
import type { ControllerChannel } from '../controller-channel.ts'
import type { ReplicationCounts } from '../metrics/replica-metrics.ts'
import type { Partition } from './partition.ts'

interface Proposal {
  readonly partition: Partition
  readonly isr: readonly number[]
  readonly leaderEpoch: number
  readonly partitionEpoch: number
}

/** One try; without an answer the same proposals go out again, as they then stand. */
const REQUEST_TIMEOUT_MS = 30_000

/** After a top-level refusal (this broker's registration is stale), before the next try. */
const BACKOFF_MS = 50

export class AlterPartitionQueue {
  readonly #channel: ControllerChannel
  readonly #clock: Clock
  readonly #brokerId: number
  readonly #brokerEpoch: () => number
  readonly #counts: ReplicationCounts
  readonly #waiting = new Map<Partition, Proposal>()
  #inFlight = false

  constructor(channel: ControllerChannel, clock: Clock, brokerId: number, brokerEpoch: () => number, counts: ReplicationCounts) {
    this.#channel = channel
    this.#clock = clock
    this.#brokerId = brokerId
    this.#brokerEpoch = brokerEpoch
    this.#counts = counts
  }

  propose(partition: Partition, isr: readonly number[]): void {
    const { leaderEpoch, partitionEpoch } = partition
    this.#waiting.set(partition, { partition, isr, leaderEpoch, partitionEpoch })
    // The partitions of one metadata change or one fetch propose in one turn: they share a request.
    if (!this.#inFlight) this.#clock.after(0, () => void this.#send())
  }

  async #send(): Promise<void> {
    if (this.#inFlight || this.#waiting.size === 0) return
    this.#inFlight = true
    const proposals = [...this.#waiting.values()].filter(stillStands)
    this.#waiting.clear()
    const reply = proposals.length > 0 ? await this.#ask(proposals) : undefined
    this.#inFlight = false
    if (proposals.length > 0 && (!reply || reply.error !== Errors.NONE)) {
      for (const p of proposals) if (stillStands(p) && !this.#waiting.has(p.partition)) this.#waiting.set(p.partition, p)
      this.#clock.after(BACKOFF_MS, () => void this.#send())
      return
    }
    if (reply) for (const result of reply.partitions) this.#settle(proposals, result)
    void this.#send()
  }

  #ask(proposals: readonly Proposal[]) {
    const partitions = proposals.map(({ partition, isr, leaderEpoch, partitionEpoch }) => ({
      topicId: partition.topicId,
      partition: partition.index,
      leaderEpoch,
      partitionEpoch,
      isr: partition.isrMembers(isr),
      // A leader that asks for an ISR has recovered from an unclean election.
      leaderRecoveryState: 0,
    }))
    const request = { brokerId: this.#brokerId, brokerEpoch: this.#brokerEpoch(), partitions }
    return this.#channel.ask('alterPartition', request, REQUEST_TIMEOUT_MS)
  }

  #settle(proposals: readonly Proposal[], result: AlterPartitionResult): void {
    const proposal = proposals.find((p) => p.partition.topicId === result.topicId && p.partition.index === result.partition)
    if (!proposal) return
    const { partition, isr } = proposal
    if (result.error !== Errors.NONE) this.#counts.failedIsrUpdates++
    switch (result.error) {
      case Errors.NONE:
        return partition.isrConfirmed(result.isr, result.leaderEpoch, result.partitionEpoch)
      case Errors.INELIGIBLE_REPLICA:
      case Errors.OPERATION_NOT_ATTEMPTED:
        return partition.isrRefused(isr)
      case Errors.UNKNOWN_TOPIC_OR_PARTITION:
      case Errors.UNKNOWN_TOPIC_ID:
      case Errors.FENCED_LEADER_EPOCH:
      case Errors.INVALID_UPDATE_VERSION:
      case Errors.INVALID_REQUEST:
      case Errors.NEW_LEADER_ELECTED:
        return // metadata that is on its way settles it
      default:
        if (stillStands(proposal)) this.#waiting.set(partition, proposal)
    }
  }
}

function stillStands({ partition, isr, leaderEpoch, partitionEpoch }: Proposal): boolean {
  return partition.proposedIsr === isr && partition.leaderEpoch === leaderEpoch && partition.partitionEpoch === partitionEpoch
}
