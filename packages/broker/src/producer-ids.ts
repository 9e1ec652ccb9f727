// Producer ids for idempotent producers, from blocks that the controller hands out; the next block is asked for when one is used up.
import { Errors } from '@faultline/protocol'
import type { ControllerChannel } from './controller-channel.ts'

const TIMEOUT_MS = 5000

export class ProducerIds {
  readonly #channel: ControllerChannel
  readonly #broker: () => { brokerId: number; brokerEpoch: number }
  #next = 0
  #end = 0
  #asking: Promise<boolean> | undefined

  constructor(channel: ControllerChannel, broker: () => { brokerId: number; brokerEpoch: number }) {
    this.#channel = channel
    this.#broker = broker
  }

  /** Undefined when no controller gave a block in time: the client is told to try again. */
  async next(): Promise<number | undefined> {
    while (this.#next >= this.#end) {
      this.#asking ??= this.#ask().finally(() => (this.#asking = undefined))
      if (!(await this.#asking)) return undefined
    }
    return this.#next++
  }

  async #ask(): Promise<boolean> {
    const reply = await this.#channel.ask('allocateProducerIds', this.#broker(), TIMEOUT_MS)
    if (!reply || reply.error !== Errors.NONE) return false
    this.#next = reply.firstProducerId
    this.#end = reply.firstProducerId + reply.count
    return true
  }
}
