// A broker in process, and what one Produce request of ten records through a connection costs it.
import { buildBatch, encodeFrame, encodeRequestHeader, produce } from '@faultline/protocol'
import { EdgeFile } from '@faultline/node'
import { World } from '@faultline/sim'

/** Microseconds of CPU for each of so many requests. */
export type Cost = (requests: number) => number

/** With "record" each request is noted in a file, in `folder`. */
export async function startBroker(kind: string, folder: string): Promise<Cost> {
  const world = new World({ seed: 1, brokers: 1, controllers: 1, settings: {} })
  await world.start()
  await settle(world, world.client('bench').createTopic('orders', 1, 1, {}))
  await world.runUntil('the partition', () => world.broker(1)!.replicas.byName('orders', 0)?.leads === true, 30_000)
  if (kind === 'record') world.broker(1)!.record(new EdgeFile(folder, 'broker:1'))
  const stream = connection(world)
  // Always the same bytes: no other garbage than the broker's own.
  const bytes = frame(0)
  return (requests) => {
    const began = process.cpuUsage()
    for (let i = 0; i < requests; i++) stream.onData(bytes)
    const { user, system } = process.cpuUsage(began)
    return (user + system) / requests
  }
}

/** A connection whose other end takes what it is sent. */
function connection(world: World) {
  const stream = {
    remote: 'bench:1',
    onData: (_chunk: Uint8Array) => {},
    onDrain: () => {},
    onClose: () => {},
    write: () => true,
    pause: () => {},
    resume: () => {},
    end: () => {},
    destroy: () => {},
  }
  world.broker(1)!.accept(stream, 'PLAINTEXT')
  return stream
}

function frame(correlationId: number): Uint8Array {
  const records = buildBatch(
    Array.from({ length: 10 }, () => ({ key: null, value: Buffer.alloc(100, 7), timestamp: 1_700_000_000_000 })),
  )
  const topicData = [{ name: 'orders', partitionData: [{ index: 0, records }] }]
  const body = produce.request.encode({ transactionalId: null, acks: 1, timeoutMs: 1000, topicData }, 12)
  const header = encodeRequestHeader({ apiKey: produce.key, apiVersion: 12, correlationId, clientId: 'bench' })
  return Buffer.concat(encodeFrame(header, body))
}

async function settle(world: World, promise: Promise<unknown>): Promise<void> {
  let done = false
  void promise.finally(() => (done = true))
  await world.runUntil('an answer', () => done, 30_000)
}
