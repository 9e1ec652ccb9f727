// A controller as a process: the quorum's voter on level, sockets and clocks of this machine.
import { join } from 'node:path'
import { DiskError, Refusal } from '@faultline/base'
import { Controller, controllerFamilies, type StaticConfigs, serverNumber } from '@faultline/controller'
import { type ArmedFaults, FaultyClock, StorageFaults, watchedBy } from '@faultline/fault'
import { RaftStorageCorruption, type RaftTiming } from '@faultline/raft'
import { controllerVantage } from './controller-vantage.ts'
import type { EventLog } from './event-log.ts'
import type { ManagedNode } from './management/management-server.ts'
import { MACHINE } from './machine.ts'
import type { NodeConfig } from './node-config.ts'
import type { GrpcTransport } from './peer/grpc-transport.ts'
import { FaultyStorage } from './raft-storage/faulty-storage.ts'
import { LevelStorage } from './raft-storage/level-storage.ts'
import { Underneath } from './raft-storage/underneath.ts'
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
  const clock = new FaultyClock(new SystemClock(), faults)
  faults.onChange = () => clock.adapt()
  clock.adapt()
  const folder = join(config.dataDirectory, 'quorum')
  const storageFaults = new StorageFaults(faults, MACHINE)
  const level = new LevelStorage(folder, new Underneath(folder, storageFaults))
  const storage = new FaultyStorage(level, folder, storageFaults, clock)
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
    onFatal: (error) => {
      const reason = diskRefusal(error)
      exit(reason instanceof Refusal ? 78 : 70, reason)
    },
  })
  faults.vantage = controllerVantage(controller)
  await controller.start().catch((error: Error) => {
    throw diskRefusal(error)
  })
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

/** Where it is the disk's fault, not ours: a voter that cannot keep what it promised must not vote. */
function diskRefusal(error: Error): Error {
  if (error instanceof RaftStorageCorruption) return new Refusal('FOLDER_UNUSABLE', error.message, error.advice)
  if (!(error instanceof DiskError)) return error
  const advice = 'Start the controller again when its disk is well.'
  const code = error.code === 'ENOSPC' ? 'DISK_FULL' : 'FOLDER_UNUSABLE'
  return new Refusal(code, `The quorum's log failed: ${error.message}.`, advice)
}

/** Kafka's quorum timeouts: followers wait for the fetch timeout, a leader without a majority resigns after one and a half of it. */
function raftTiming(statics: StaticConfigs): RaftTiming {
  const electionTimeoutMs = serverNumber(statics, 'controller.quorum.fetch.timeout.ms')
  return { heartbeatMs: electionTimeoutMs / 8, electionTimeoutMs, checkQuorumMs: electionTimeoutMs * 1.5 }
}
