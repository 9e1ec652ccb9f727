// Topics that come into being because somebody asked for them: auto-created ones, and the internal topics of the coordinators.
import { serverNumber, type StaticConfigs } from '@faultline/controller'
import { createTopics, Errors } from '@faultline/protocol'
import type { ControllerChannel } from './controller-channel.ts'

const VERSION = 7
const TIMEOUT_MS = 5000

export class AutoTopics {
  readonly #channel: ControllerChannel
  readonly #statics: StaticConfigs
  /** Being created now: asked for once, whoever asks. */
  readonly #pending = new Map<string, Promise<number>>()

  constructor(channel: ControllerChannel, statics: StaticConfigs) {
    this.#channel = channel
    this.#statics = statics
  }

  /** What a client hears now; it asks again, and then the topic is there. */
  create(name: string): Promise<number> {
    let pending = this.#pending.get(name)
    if (!pending) {
      pending = this.#ask(name).finally(() => this.#pending.delete(name))
      this.#pending.set(name, pending)
    }
    return pending
  }

  async #ask(name: string): Promise<number> {
    const topic = { name, assignments: [], ...this.#shape(name) }
    const body = Buffer.concat(
      createTopics.request.encode({ topics: [topic], timeoutMs: TIMEOUT_MS, validateOnly: false }, VERSION),
    )
    const message = { apiKey: createTopics.key, apiVersion: VERSION, clientId: '', body }
    const reply = await this.#channel.ask('forward', message, TIMEOUT_MS)
    if (!reply || reply.error !== Errors.NONE) return Errors.UNKNOWN_TOPIC_OR_PARTITION
    const result = createTopics.response.decode(reply.body, VERSION).topics[0]!
    const expected = result.errorCode === Errors.NONE || result.errorCode === Errors.TOPIC_ALREADY_EXISTS
    return expected ? Errors.UNKNOWN_TOPIC_OR_PARTITION : result.errorCode
  }

  #shape(name: string) {
    const number = (config: string) => serverNumber(this.#statics, config)
    switch (name) {
      case '__consumer_offsets':
        return {
          numPartitions: number('offsets.topic.num.partitions'),
          replicationFactor: number('offsets.topic.replication.factor'),
          configs: [
            { name: 'cleanup.policy', value: 'compact' },
            { name: 'compression.type', value: 'producer' },
            { name: 'segment.bytes', value: String(number('offsets.topic.segment.bytes')) },
          ],
        }
      case '__transaction_state':
        return {
          numPartitions: number('transaction.state.log.num.partitions'),
          replicationFactor: number('transaction.state.log.replication.factor'),
          configs: [
            { name: 'cleanup.policy', value: 'compact' },
            { name: 'compression.type', value: 'uncompressed' },
            { name: 'min.insync.replicas', value: String(number('transaction.state.log.min.isr')) },
            { name: 'segment.bytes', value: String(number('transaction.state.log.segment.bytes')) },
            { name: 'unclean.leader.election.enable', value: 'false' },
          ],
        }
      default:
        return { numPartitions: -1, replicationFactor: -1, configs: [] }
    }
  }
}
