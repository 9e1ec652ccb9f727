// An idempotent acks=all producer, one batch at a time per partition. A batch is sent again, under the same sequence numbers, until its
// outcome is known.
import { buildBatch, Errors, initProducerId, isRetriable, produce } from '@faultline/protocol'
import { Abandoned } from './ask.ts'
import type { ClusterClient } from './cluster-client.ts'
import { Disconnected } from './connection.ts'

const PRODUCE_VERSION = 12
const INIT_PRODUCER_ID_VERSION = 4
const RETRY_MS = 100
const REQUEST_TIMEOUT_MS = 5000

export interface Acknowledged {
  readonly offset: number
  readonly tries: number
}

export class Producer {
  readonly #client: ClusterClient
  readonly #abandoned: () => boolean
  readonly #sequences = new Map<string, number>()
  #producerId = -1

  /** `abandoned`: true when whoever drives it is gone; what is under way then throws Abandoned instead of being tried again. */
  constructor(client: ClusterClient, abandoned: () => boolean = () => false) {
    this.#client = client
    this.#abandoned = abandoned
  }

  async start(): Promise<void> {
    while (this.#producerId < 0) {
      try {
        const reply = await this.#client.any(initProducerId, INIT_PRODUCER_ID_VERSION, {
          transactionalId: null,
          transactionTimeoutMs: 0,
        })
        if (reply.errorCode === Errors.NONE) this.#producerId = reply.producerId
      } catch (error) {
        if (!(error instanceof Disconnected)) throw error
      }
      if (this.#producerId < 0) await this.#pause()
    }
  }

  /** Resolves when every in-sync replica has them. Throws on an answer that no retry changes. */
  async send(topic: string, partition: number, values: readonly Uint8Array[]): Promise<Acknowledged> {
    const key = `${topic}:${partition}`
    const baseSequence = this.#sequences.get(key) ?? 0
    for (let tries = 1; ; tries++) {
      const error = await this.#attempt(topic, partition, values, baseSequence)
      if ('offset' in error) {
        this.#sequences.set(key, baseSequence + values.length)
        return { offset: error.offset, tries }
      }
      if (!isRetriable(error.code) && error.code !== Errors.NOT_ENOUGH_REPLICAS_AFTER_APPEND)
        throw new Error(`Produce: error ${error.code}`)
      this.#client.forget(topic)
      await this.#pause()
    }
  }

  async #pause(): Promise<void> {
    if (this.#abandoned()) throw new Abandoned('the producer was abandoned')
    await this.#client.pause(RETRY_MS)
  }

  async #attempt(
    topic: string,
    partition: number,
    values: readonly Uint8Array[],
    baseSequence: number,
  ): Promise<{ offset: number } | { code: number }> {
    const connection = await this.#client.leader(topic, partition)
    if (!connection) return { code: Errors.LEADER_NOT_AVAILABLE }
    const timestamp = this.#client.clock.wall()
    const records = buildBatch(
      values.map((value) => ({ key: null, value, timestamp })),
      { producerId: this.#producerId, producerEpoch: 0, baseSequence },
    )
    try {
      const reply = await connection.request(produce, PRODUCE_VERSION, {
        transactionalId: null,
        acks: -1,
        timeoutMs: REQUEST_TIMEOUT_MS,
        topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
      })
      const [result] = reply.responses[0]!.partitionResponses
      return result!.errorCode === Errors.NONE ? { offset: result!.baseOffset } : { code: result!.errorCode }
    } catch (error) {
      if (error instanceof Disconnected) return { code: Errors.NETWORK_EXCEPTION }
      throw error
    }
  }
}
