// A broker as a process: the broker on sockets, files and clocks of this machine.
import { dirname } from 'node:path'
import { type ByteStream, Refusal } from '@faultline/base'
import { Broker, brokerFamilies } from '@faultline/broker'
import { type ArmedFaults, FaultyClock, FaultyDisk, StorageFaults, watchedBy } from '@faultline/fault'
import { NodeDisk } from './disk/node-disk.ts'
import { EdgeFile, isEdgeWanted } from './edge-file.ts'
import type { EventLog } from './event-log.ts'
import type { ManagedNode } from './management/management-server.ts'
import { listen } from './net/listener.ts'
import type { NodeConfig } from './node-config.ts'
import type { GrpcTransport } from './peer/grpc-transport.ts'
import type { OutputGate } from './output-gate.ts'
import { MACHINE } from './machine.ts'
import { SystemClock } from './system-clock.ts'
import { SystemRandom } from './system-random.ts'

export async function startBroker(
  config: NodeConfig,
  transport: GrpcTransport,
  events: EventLog,
  faults: ArmedFaults,
  exit: (code: number, error?: Error) => void,
  gate: OutputGate,
): Promise<ManagedNode> {
  const clock = new FaultyClock(new SystemClock(), faults)
  const decisions = new StorageFaults(faults, MACHINE)
  const disk = new FaultyDisk(new NodeDisk('/'), decisions, clock, `${config.dataDirectory}.unsynced`)
  clock.adapt()
  disk.start()
  faults.onChange = () => {
    clock.adapt()
    disk.adapt()
  }
  process.on('exit', () => disk.stop())
  const broker = new Broker({
    id: config.id,
    clusterId: config.clusterId,
    controllers: config.controllers,
    listeners: config.listeners,
    rack: config.rack,
    statics: new Map(Object.entries(config.settings)),
    dataDirectory: config.dataDirectory,
    clock,
    random: new SystemRandom(),
    disk,
    transport,
    events: watchedBy(events, faults),
    faults,
    onFatal: (error) => exit(error instanceof Refusal ? 78 : 70, error),
  })
  const management = dirname(config.management)
  const record = () => {
    if (!broker.edge) broker.record(new EdgeFile(management, `broker:${config.id}`))
  }
  if (isEdgeWanted(management)) record()
  await transport.listen('control', config.listen.control)
  await transport.listen('replication', config.listen.replication!)
  // The ports are taken before the broker is up, so that nobody else gets them; clients are let in when it is.
  const accept = (stream: ByteStream, listener: string) => broker.accept(stream, listener)
  const waiting: [ByteStream, string][] = []
  let admit = (stream: ByteStream, listener: string) => {
    stream.pause()
    waiting.push([stream, listener])
  }
  const doors = config.listen.clients!.map(({ listener, host, port }) =>
    listen(host, port, gate, (stream) => admit(stream, listener)),
  )
  const listeners = await Promise.all(doors)
  const letIn = () => {
    admit = accept
    for (const [stream, listener] of waiting.splice(0)) {
      accept(stream, listener)
      stream.resume()
    }
  }
  void broker.start().then(letIn, (error: Error) => exit(70, error))
  return {
    status: () => brokerStatus(broker),
    families: () => brokerFamilies(broker),
    health: () => ({ serves: stateOf(broker) === 'running', state: stateOf(broker), epoch: broker.brokerEpoch }),
    record,
    stop: () => {
      void broker.stop().then(async () => {
        await Promise.all(listeners.map((listener) => listener.close()))
        transport.close()
        exit(0)
      })
    },
  }
}

function stateOf(broker: Broker): string {
  return broker.state === 'running' && broker.fenced ? 'fenced' : broker.state
}

function brokerStatus(broker: Broker) {
  return {
    role: 'broker',
    id: broker.id,
    state: stateOf(broker),
    epoch: broker.brokerEpoch,
    metadataOffset: broker.image.offset,
    connections: broker.connectionCount,
    ...broker.metrics,
    memory: process.memoryUsage(),
    partitions: [...broker.replicas.all()].map((p) => ({
      topic: p.topic,
      partition: p.index,
      leads: p.leads,
      leader: p.leader,
      leaderEpoch: p.leaderEpoch,
      isr: p.isr,
      replicas: p.replicas,
      logStartOffset: p.log.logStartOffset,
      highWatermark: p.log.highWatermark,
      logEndOffset: p.log.logEndOffset,
    })),
  }
}
