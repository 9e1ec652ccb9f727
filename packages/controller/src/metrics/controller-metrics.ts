// All that a controller tells in numbers: of the cluster as its image has it, of elections that it decided, of the quorum.
import { counter, gauge, type MetricFamily } from '@faultline/base'
import type { MetadataRecordValue } from '@faultline/protocol'
import type { RaftStatus } from '@faultline/raft'
import type { ClusterImage } from '../image/cluster-image.ts'
import { NO_LEADER, type PartitionState, RECOVERING } from '../image/partition-state.ts'
import { NO_LEADER_CHANGE } from '../image/replay-topics.ts'

/** Elections that this controller decided while it was active. */
export class ElectionCounts {
  all = 0
  unclean = 0
  fromElr = 0

  /** An unclean one that follows another, before the leader has recovered, is not counted in Kafka either. */
  note(change: PartitionChange, before: PartitionState): void {
    if (!elects(change)) return
    this.all++
    if (change.leaderRecoveryState === RECOVERING) this.unclean++
    if (before.elr.includes(change.leader)) this.fromElr++
  }
}

type PartitionChange = MetadataRecordValue<'PartitionChangeRecord'>

function elects({ leader }: PartitionChange): boolean {
  return leader !== NO_LEADER_CHANGE && leader !== NO_LEADER
}

/** The new leader is nobody who is known to have everything: records may be lost. */
export function isUnclean(change: PartitionChange, { isr, elr }: PartitionState): boolean {
  return elects(change) && !isr.includes(change.leader) && !elr.includes(change.leader)
}

export interface ControllerView {
  readonly raft: RaftStatus
  readonly active: boolean
  readonly image: ClusterImage
  readonly elections: ElectionCounts
}

export function controllerFamilies({ raft, active, image, elections }: ControllerView): MetricFamily[] {
  const brokers = [...image.brokers.values()]
  const partitions = [...image.topicsById.values()].flatMap((topic) => topic.partitions)
  const controller = (name: string, help: string, value: number) => gauge(`kafka_controller_kafkacontroller_${name}`, help, value)
  const quorum = (name: string, help: string, value: number) => gauge(`kafka_server_raftmetrics_${name}`, help, value)
  return [
    controller('activecontrollercount', '1 on the active controller, else 0.', Number(active)),
    controller('globaltopiccount', 'Topics of the cluster.', image.topicsById.size),
    controller('globalpartitioncount', 'Partitions of the cluster.', partitions.length),
    controller('offlinepartitionscount', 'Partitions without a leader.', partitions.filter((p) => p.leader === NO_LEADER).length),
    controller(
      'preferredreplicaimbalancecount',
      'Partitions that are not led by their first replica.',
      partitions.filter((p) => p.leader !== p.replicas[0]).length,
    ),
    controller('activebrokercount', 'Registered brokers that are not fenced.', brokers.filter((b) => !b.fenced).length),
    controller('fencedbrokercount', 'Registered brokers that are fenced.', brokers.filter((b) => b.fenced).length),
    controller('lastappliedrecordoffset', 'The last entry of the metadata log that is in the image.', image.offset),
    controller('lastcommittedrecordoffset', 'The last committed entry of the metadata log.', raft.commit),
    counter(
      'kafka_controller_controllerstats_uncleanleaderelections_total',
      'Leaders that this controller elected from outside the ISR, so that records may be lost.',
      elections.unclean,
    ),
    counter(
      'kafka_controller_controllerstats_electionfromeligibleleaderreplicas_total',
      'Leaders that this controller elected from the eligible leader replicas: outside the ISR, and nothing is lost.',
      elections.fromElr,
    ),
    counter('faultline_leader_elections_total', 'Leaders that this controller elected.', elections.all),
    quorum('current_leader', 'The leader of the quorum, -1 when it is not known.', raft.leader),
    quorum('current_epoch', 'The term of the quorum.', raft.term),
    quorum('high_watermark', 'The last committed entry.', raft.commit),
    quorum('log_end_offset', 'The last entry of the log.', raft.lastIndex),
    quorum('number_of_voters', 'Voters of the quorum.', raft.voters.length),
    counter('faultline_raft_malformed_total', 'Messages of other controllers that made no sense.', raft.malformed),
  ]
}
