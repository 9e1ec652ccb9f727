// Microseconds of CPU for one Produce request of ten records through a broker's connection, in process: printed, and nothing else. With "record" each
// is noted in a file.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildBatch, encodeFrame, encodeRequestHeader, produce } from '@faultline/protocol'
import { EdgeFile } from '@faultline/node'
import { World } from '@faultline/sim'

const WARM_UP = 10_000
/** Their median counts: a collection of garbage, or something else that runs here, is in few of them. */
const CHUNKS = 40
const CHUNK = 1000

async function main(): Promise<number> {
  const world = new World({ seed: 1, brokers: 1, controllers: 1, settings: {} })
  await world.start()
  await settle(world, world.client('bench').createTopic('orders', 1, 1, {}))
  await world.runUntil('the partition', () => world.broker(1)!.replicas.byName('orders', 0)?.leads === true, 30_000)
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  if (process.argv[2] === 'record') world.broker(1)!.record(new EdgeFile(folder, 'broker:1'))
  const stream = connection(world)
  let sent = 0
  const usOf = (requests: number) => {
    const frames = Array.from({ length: requests }, () => frame(sent++))
    const began = process.cpuUsage()
    for (const bytes of frames) stream.onData(bytes)
    const { user, system } = process.cpuUsage(began)
    return (user + system) / requests
  }
  for (let i = 0; i < WARM_UP / CHUNK; i++) usOf(CHUNK)
  const chunks = Array.from({ length: CHUNKS }, () => usOf(CHUNK)).sort((a, b) => a - b)
  rmSync(folder, { recursive: true })
  return chunks[CHUNKS >> 1]!
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

void main().then((us) => process.stdout.write(String(us)))
