// A controller as a process: the quorum's voter on level, sockets and clocks of this machine.
import { join } from 'node:path'
import { Controller, controllerFamilies, type StaticConfigs, serverNumber } from '@faultline/controller'
import { type ArmedFaults, FaultyClock, watchedBy } from '@faultline/fault'
import type { RaftTiming } from '@faultline/raft'
import { controllerVantage } from './controller-vantage.ts'
import type { EventLog } from './event-log.ts'
import type { ManagedNode } from './management/management-server.ts'
import type { NodeConfig } from './node-config.ts'
import type { GrpcTransport } from './peer/grpc-transport.ts'
import { LevelStorage } from './raft-storage/level-storage.ts'
import { SystemClock } from './system-clock.ts'
import { SystemRandom } from './system-random.ts'

export async function startController(
  config: NodeConfig,
  transport: GrpcTransport,
  events: EventLog,
  faults: ArmedFaults,
  exit: (code: number, error?: Error) => void,
): Promise<ManagedNode> {
  const statics: StaticConfigs = new Map(Object.entries(config.settings))
  const storage = new LevelStorage(join(config.dataDirectory, 'quorum'))
  const clock = new FaultyClock(new SystemClock(), faults)
  faults.onChange = () => clock.adapt()
  clock.adapt()
  const controller = new Controller({
    id: config.id,
    voters: config.controllers,
    clusterId: config.clusterId,
    statics,
    timing: raftTiming(statics),
    clock,
    random: new SystemRandom(),
    transport,
    storage,
    events: watchedBy(events, faults),
    onFatal: (error) => exit(70, error),
  })
  faults.vantage = controllerVantage(controller)
  await controller.start()
  await transport.listen('control', config.listen.control)
  return {
    status: () => {
      const { raft, active, image } = controller.status()
      return {
        ...raft,
        role: 'controller',
        state: active ? 'active' : raft.role,
        metadataOffset: image.offset,
        brokers: [...image.brokers.values()],
        topics: [...image.topicsByName.values()],
      }
    },
    families: () => controllerFamilies(controller.status()),
    health: () => {
      const { raft, active } = controller.status()
      return { serves: raft.leader >= 0, state: active ? 'active' : raft.role, leader: raft.leader, term: raft.term }
    },
    stop: () => {
      void controller
        .resign()
        .then(() => {
          controller.stop()
          transport.close()
          return storage.close()
        })
        .then(() => exit(0))
    },
  }
}

/** Kafka's quorum timeouts: followers wait for the fetch timeout, a leader without a majority resigns after one and a half of it. */
function raftTiming(statics: StaticConfigs): RaftTiming {
  const electionTimeoutMs = serverNumber(statics, 'controller.quorum.fetch.timeout.ms')
  return { heartbeatMs: electionTimeoutMs / 8, electionTimeoutMs, checkQuorumMs: electionTimeoutMs * 1.5 }
}
