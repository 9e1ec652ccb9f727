// Follows the metadata log at the active controller and replays it into this broker's image. Only committed entries arrive, so nothing is
// ever taken back; a new active controller goes on where the last one stopped.
import type { Clock, PeerTransport, Timer } from '@faultline/base'
import { ClusterImage, decodeEntry } from '@faultline/controller'
import { Errors, type MetadataRecord } from '@faultline/protocol'
import { type MessageStream, type MetadataBatch, type FollowMetadataRequest, openStream } from '@faultline/rpc'
import type { ControllerChannel } from './controller-channel.ts'

/** After a stream broke, before the next try. */
const RECONNECT_MS = 100

export interface MetadataFollowerOptions {
  readonly brokerId: number
  readonly transport: PeerTransport
  readonly channel: ControllerChannel
  readonly clock: Clock
  /** The image has moved on by these records; `whole` when it was replaced by a snapshot. */
  readonly onChange: (records: readonly MetadataRecord[], whole: boolean) => void
}

export class MetadataFollower {
  readonly #o: MetadataFollowerOptions
  #image = new ClusterImage()
  #stream: MessageStream<MetadataBatch, FollowMetadataRequest> | undefined
  #target = -1
  #timer: Timer | undefined
  #stopped = false

  constructor(options: MetadataFollowerOptions) {
    this.#o = options
  }

  get image(): ClusterImage {
    return this.#image
  }

  start(): void {
    const target = this.#o.channel.target
    this.#target = target
    const stream = openStream(this.#o.transport, target, 'followMetadata')
    this.#stream = stream
    stream.onMessage = (batch) => this.#receive(batch)
    stream.onClose = (error) => {
      if (error) this.#o.channel.unreachable(target)
      this.#stream = undefined
      if (!this.#stopped) this.#timer = this.#o.clock.after(RECONNECT_MS, () => this.start())
    }
    stream.send({ brokerId: this.#o.brokerId, afterOffset: this.#image.offset })
  }

  /** `controller` leads: a stream from another one may be silent for ever (it is paused, or cut off). */
  retarget(controller: number): void {
    if (controller !== this.#target) this.#stream?.close()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#stream?.close()
  }

  #receive(batch: MetadataBatch): void {
    if (batch.error !== Errors.NONE) {
      this.#o.channel.learn(batch.leader)
      return this.#stream?.close()
    }
    if (batch.hasSnapshot) this.#replaceImage(batch)
    const changed: MetadataRecord[] = []
    for (const entry of batch.entries) {
      if (entry.offset <= this.#image.offset) continue
      const records = decodeEntry(entry.records)
      this.#image.replayEntry(entry.offset, entry.epoch, records)
      changed.push(...records)
    }
    this.#o.onChange(changed, batch.hasSnapshot)
  }

  #replaceImage(batch: MetadataBatch): void {
    this.#image = new ClusterImage()
    this.#image.replayEntry(batch.snapshotOffset, batch.snapshotEpoch, decodeEntry(batch.snapshot))
  }
}
