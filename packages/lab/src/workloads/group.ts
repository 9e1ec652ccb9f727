// Members of a consumer group that read a topic and commit as they go.
import type { Consumer, Kafka } from 'kafkajs'
import type { Workload } from '../experiment/schema.ts'
import { GroupHolds } from './group-holds.ts'
import { kafkaOf, RETRY } from './kafkajs.ts'
import { type RunningWorkload, within, type WorkloadContext } from './workload.ts'

type Options = Extract<Workload, { kind: 'group' }>

export async function startGroup(options: Options, name: string, context: WorkloadContext): Promise<RunningWorkload> {
  const group = new RunningGroup(options, name, context, kafkaOf(name, context, RETRY))
  await Promise.all(Array.from({ length: options.members }, (_, member) => group.join(member)))
  return group
}

class RunningGroup implements RunningWorkload {
  readonly name: string
  readonly #o: Options
  readonly #context: WorkloadContext
  readonly #kafka: Kafka
  readonly #members: Consumer[] = []
  #read = 0

  constructor(options: Options, name: string, context: WorkloadContext, kafka: Kafka) {
    this.name = name
    this.#o = options
    this.#context = context
    this.#kafka = kafka
  }

  async join(member: number): Promise<void> {
    const { group, topic, isolation } = this.#o
    const process = `${this.name}/${member}`
    const consumer = this.#kafka.consumer({
      groupId: group,
      sessionTimeout: 6000,
      heartbeatInterval: 500,
      maxWaitTimeInMs: 200,
      readUncommitted: isolation === 'read_uncommitted',
      retry: { ...RETRY, restartOnFailure: async () => true },
    })
    this.#members.push(consumer)
    const holds = new GroupHolds(consumer, process, this.#context.history)
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      autoCommitInterval: 500,
      eachMessage: async ({ partition, message }) => {
        this.#read++
        const value = message.value?.toString() ?? ''
        const hold = holds.of(topic, partition)?.number
        this.#context.history.reads.push({
          op: 'read',
          process,
          topic,
          partition,
          offset: Number(message.offset),
          key: message.key?.toString() ?? '',
          value,
          at: Date.now(),
          ...(hold === undefined ? {} : { hold }),
        })
      },
    })
  }

  get flows(): boolean {
    return this.#read >= 50
  }

  stopProducing(): Promise<void> {
    return Promise.resolve()
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map((consumer) => within(consumer.disconnect())))
  }
}
