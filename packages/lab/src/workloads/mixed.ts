// Reads and writes in Jepsen's manner: processes that send, poll, take partitions, subscribe, and do several of these in transactions that commit or
// abort, all drawn by lot. Assigned readers and writers are our own client, whose answers are known to the letter; subscribed ones are kafkajs.
import type { ClusterClient } from '@faultline/client'
import { socketClient } from '@faultline/node'
import { Kafka, logLevel } from 'kafkajs'
import type { Workload } from '../experiment/schema.ts'
import { clientIdOf } from './client-ids.ts'
import { MixedProcess } from './mixed-process.ts'
import { type RunningWorkload, within, type WorkloadContext } from './workload.ts'

type Options = Extract<Workload, { kind: 'mixed' }>

export async function startMixed(options: Options, name: string, context: WorkloadContext): Promise<RunningWorkload> {
  const mixed = new RunningMixed(options, name, context)
  mixed.start()
  return mixed
}

class RunningMixed implements RunningWorkload {
  readonly name: string
  readonly #processes: MixedProcess[]
  readonly #clients: ClusterClient[]
  #running: Promise<void> = Promise.resolve()

  constructor(options: Options, name: string, context: WorkloadContext) {
    this.name = name
    const kafka = new Kafka({ clientId: clientIdOf(name), brokers: context.bootstrap.split(','), logLevel: logLevel.NOTHING })
    const ids = Array.from({ length: options.processes }, (_, i) => `${name}.${i}`)
    this.#clients = ids.map((id) => socketClient(context.bootstrap.split(','), clientIdOf(id)))
    this.#processes = ids.map((id, i) => new MixedProcess(id, options, name, context, this.#clients[i]!, kafka))
  }

  start(): void {
    this.#running = Promise.all(this.#processes.map((p) => p.run())).then(() => {})
  }

  get flows(): boolean {
    return this.#processes.reduce((sum, p) => sum + p.done, 0) >= 50
  }

  async stopProducing(): Promise<void> {
    for (const process of this.#processes) process.finish()
    await this.#running
  }

  async stop(): Promise<void> {
    for (const process of this.#processes) process.abandon()
    await within(this.#running)
    for (const client of this.#clients) client.close()
  }
}
