// Generated from proto/*.proto by scripts/compile-proto.mjs. Do not edit.

export interface RaftMessageRequest {
  from: number
  message: Uint8Array
}

export interface RaftMessageReply {
}

export interface Endpoint {
  name: string
  host: string
  port: number
}

export interface RegisterBrokerRequest {
  brokerId: number
  clusterId: string
  incarnationId: string
  listeners: readonly Endpoint[]
  rack: string
  logDir: string
  previousBrokerEpoch: number
}

export interface RegisterBrokerReply {
  error: number
  leader: number
  brokerEpoch: number
}

export interface BrokerHeartbeatRequest {
  brokerId: number
  brokerEpoch: number
  metadataOffset: number
  wantFence: boolean
  wantShutDown: boolean
}

export interface BrokerHeartbeatReply {
  error: number
  leader: number
  isCaughtUp: boolean
  isFenced: boolean
  shouldShutDown: boolean
}

export interface IsrMember {
  brokerId: number
  brokerEpoch: number
}

export interface AlterPartitionItem {
  topicId: string
  partition: number
  leaderEpoch: number
  isr: readonly IsrMember[]
  leaderRecoveryState: number
  partitionEpoch: number
}

export interface AlterPartitionRequest {
  brokerId: number
  brokerEpoch: number
  partitions: readonly AlterPartitionItem[]
}

export interface AlterPartitionResult {
  topicId: string
  partition: number
  error: number
  leaderId: number
  leaderEpoch: number
  isr: readonly number[]
  leaderRecoveryState: number
  partitionEpoch: number
}

export interface AlterPartitionReply {
  error: number
  leader: number
  partitions: readonly AlterPartitionResult[]
}

export interface AllocateProducerIdsRequest {
  brokerId: number
  brokerEpoch: number
}

export interface AllocateProducerIdsReply {
  error: number
  leader: number
  firstProducerId: number
  count: number
}

export interface ForwardRequest {
  apiKey: number
  apiVersion: number
  clientId: string
  body: Uint8Array
}

export interface ForwardReply {
  error: number
  leader: number
  body: Uint8Array
}

export interface FollowMetadataRequest {
  brokerId: number
  afterOffset: number
}

export interface MetadataEntry {
  offset: number
  epoch: number
  records: Uint8Array
}

export interface MetadataBatch {
  error: number
  leader: number
  hasSnapshot: boolean
  snapshotOffset: number
  snapshotEpoch: number
  snapshot: Uint8Array
  entries: readonly MetadataEntry[]
}

export interface ReplicaFetchPartition {
  topicId: string
  partition: number
  currentLeaderEpoch: number
  fetchOffset: number
  lastFetchedEpoch: number
  logStartOffset: number
}

export interface ForgottenPartition {
  topicId: string
  partition: number
}

export interface ReplicaFetchRequest {
  replicaId: number
  replicaEpoch: number
  maxWaitMs: number
  minBytes: number
  maxBytes: number
  partitionMaxBytes: number
  partitions: readonly ReplicaFetchPartition[]
  forgotten: readonly ForgottenPartition[]
  sequence: number
}

export interface ReplicaFetchedPartition {
  topicId: string
  partition: number
  error: number
  leaderEpoch: number
  highWatermark: number
  logStartOffset: number
  logEndOffset: number
  diverging: boolean
  divergingEpoch: number
  divergingEndOffset: number
  fetchOffset: number
  records: readonly Uint8Array[]
}

export interface ReplicaFetchReply {
  sequence: number
  partitions: readonly ReplicaFetchedPartition[]
}

export interface MessageTypes {
  RaftMessageRequest: RaftMessageRequest
  RaftMessageReply: RaftMessageReply
  Endpoint: Endpoint
  RegisterBrokerRequest: RegisterBrokerRequest
  RegisterBrokerReply: RegisterBrokerReply
  BrokerHeartbeatRequest: BrokerHeartbeatRequest
  BrokerHeartbeatReply: BrokerHeartbeatReply
  IsrMember: IsrMember
  AlterPartitionItem: AlterPartitionItem
  AlterPartitionRequest: AlterPartitionRequest
  AlterPartitionResult: AlterPartitionResult
  AlterPartitionReply: AlterPartitionReply
  AllocateProducerIdsRequest: AllocateProducerIdsRequest
  AllocateProducerIdsReply: AllocateProducerIdsReply
  ForwardRequest: ForwardRequest
  ForwardReply: ForwardReply
  FollowMetadataRequest: FollowMetadataRequest
  MetadataEntry: MetadataEntry
  MetadataBatch: MetadataBatch
  ReplicaFetchPartition: ReplicaFetchPartition
  ForgottenPartition: ForgottenPartition
  ReplicaFetchRequest: ReplicaFetchRequest
  ReplicaFetchedPartition: ReplicaFetchedPartition
  ReplicaFetchReply: ReplicaFetchReply
}

export const DESCRIPTORS = {"nested":{"faultline":{"nested":{"Control":{"methods":{"RaftMessage":{"requestType":"RaftMessageRequest","responseType":"RaftMessageReply"},"RegisterBroker":{"requestType":"RegisterBrokerRequest","responseType":"RegisterBrokerReply"},"BrokerHeartbeat":{"requestType":"BrokerHeartbeatRequest","responseType":"BrokerHeartbeatReply"},"AlterPartition":{"requestType":"AlterPartitionRequest","responseType":"AlterPartitionReply"},"AllocateProducerIds":{"requestType":"AllocateProducerIdsRequest","responseType":"AllocateProducerIdsReply"},"Forward":{"requestType":"ForwardRequest","responseType":"ForwardReply"},"FollowMetadata":{"requestType":"FollowMetadataRequest","requestStream":true,"responseType":"MetadataBatch","responseStream":true}}},"RaftMessageRequest":{"fields":{"from":{"type":"int32","id":1},"message":{"type":"bytes","id":2}}},"RaftMessageReply":{"fields":{}},"Endpoint":{"fields":{"name":{"type":"string","id":1},"host":{"type":"string","id":2},"port":{"type":"int32","id":3}}},"RegisterBrokerRequest":{"fields":{"brokerId":{"type":"int32","id":1,"protoName":"broker_id"},"clusterId":{"type":"string","id":2,"protoName":"cluster_id"},"incarnationId":{"type":"string","id":3,"protoName":"incarnation_id"},"listeners":{"rule":"repeated","type":"Endpoint","id":4},"rack":{"type":"string","id":5},"logDir":{"type":"string","id":6,"protoName":"log_dir"},"previousBrokerEpoch":{"type":"int64","id":7,"protoName":"previous_broker_epoch"}}},"RegisterBrokerReply":{"fields":{"error":{"type":"int32","id":1},"leader":{"type":"int32","id":2},"brokerEpoch":{"type":"int64","id":3,"protoName":"broker_epoch"}}},"BrokerHeartbeatRequest":{"fields":{"brokerId":{"type":"int32","id":1,"protoName":"broker_id"},"brokerEpoch":{"type":"int64","id":2,"protoName":"broker_epoch"},"metadataOffset":{"type":"int64","id":3,"protoName":"metadata_offset"},"wantFence":{"type":"bool","id":4,"protoName":"want_fence"},"wantShutDown":{"type":"bool","id":5,"protoName":"want_shut_down"}}},"BrokerHeartbeatReply":{"fields":{"error":{"type":"int32","id":1},"leader":{"type":"int32","id":2},"isCaughtUp":{"type":"bool","id":3,"protoName":"is_caught_up"},"isFenced":{"type":"bool","id":4,"protoName":"is_fenced"},"shouldShutDown":{"type":"bool","id":5,"protoName":"should_shut_down"}}},"IsrMember":{"fields":{"brokerId":{"type":"int32","id":1,"protoName":"broker_id"},"brokerEpoch":{"type":"int64","id":2,"protoName":"broker_epoch"}}},"AlterPartitionItem":{"fields":{"topicId":{"type":"string","id":1,"protoName":"topic_id"},"partition":{"type":"int32","id":2},"leaderEpoch":{"type":"int32","id":3,"protoName":"leader_epoch"},"isr":{"rule":"repeated","type":"IsrMember","id":4},"leaderRecoveryState":{"type":"int32","id":5,"protoName":"leader_recovery_state"},"partitionEpoch":{"type":"int32","id":6,"protoName":"partition_epoch"}}},"AlterPartitionRequest":{"fields":{"brokerId":{"type":"int32","id":1,"protoName":"broker_id"},"brokerEpoch":{"type":"int64","id":2,"protoName":"broker_epoch"},"partitions":{"rule":"repeated","type":"AlterPartitionItem","id":3}}},"AlterPartitionResult":{"fields":{"topicId":{"type":"string","id":1,"protoName":"topic_id"},"partition":{"type":"int32","id":2},"error":{"type":"int32","id":3},"leaderId":{"type":"int32","id":4,"protoName":"leader_id"},"leaderEpoch":{"type":"int32","id":5,"protoName":"leader_epoch"},"isr":{"rule":"repeated","type":"int32","id":6},"leaderRecoveryState":{"type":"int32","id":7,"protoName":"leader_recovery_state"},"partitionEpoch":{"type":"int32","id":8,"protoName":"partition_epoch"}}},"AlterPartitionReply":{"fields":{"error":{"type":"int32","id":1},"leader":{"type":"int32","id":2},"partitions":{"rule":"repeated","type":"AlterPartitionResult","id":3}}},"AllocateProducerIdsRequest":{"fields":{"brokerId":{"type":"int32","id":1,"protoName":"broker_id"},"brokerEpoch":{"type":"int64","id":2,"protoName":"broker_epoch"}}},"AllocateProducerIdsReply":{"fields":{"error":{"type":"int32","id":1},"leader":{"type":"int32","id":2},"firstProducerId":{"type":"int64","id":3,"protoName":"first_producer_id"},"count":{"type":"int32","id":4}}},"ForwardRequest":{"fields":{"apiKey":{"type":"int32","id":1,"protoName":"api_key"},"apiVersion":{"type":"int32","id":2,"protoName":"api_version"},"clientId":{"type":"string","id":3,"protoName":"client_id"},"body":{"type":"bytes","id":4}}},"ForwardReply":{"fields":{"error":{"type":"int32","id":1},"leader":{"type":"int32","id":2},"body":{"type":"bytes","id":3}}},"FollowMetadataRequest":{"fields":{"brokerId":{"type":"int32","id":1,"protoName":"broker_id"},"afterOffset":{"type":"int64","id":2,"protoName":"after_offset"}}},"MetadataEntry":{"fields":{"offset":{"type":"int64","id":1},"epoch":{"type":"int32","id":2},"records":{"type":"bytes","id":3}}},"MetadataBatch":{"fields":{"error":{"type":"int32","id":1},"leader":{"type":"int32","id":2},"hasSnapshot":{"type":"bool","id":3,"protoName":"has_snapshot"},"snapshotOffset":{"type":"int64","id":4,"protoName":"snapshot_offset"},"snapshotEpoch":{"type":"int32","id":5,"protoName":"snapshot_epoch"},"snapshot":{"type":"bytes","id":6},"entries":{"rule":"repeated","type":"MetadataEntry","id":7}}},"Replication":{"methods":{"Replicate":{"requestType":"ReplicaFetchRequest","requestStream":true,"responseType":"ReplicaFetchReply","responseStream":true}}},"ReplicaFetchPartition":{"fields":{"topicId":{"type":"string","id":1,"protoName":"topic_id"},"partition":{"type":"int32","id":2},"currentLeaderEpoch":{"type":"int32","id":3,"protoName":"current_leader_epoch"},"fetchOffset":{"type":"int64","id":4,"protoName":"fetch_offset"},"lastFetchedEpoch":{"type":"int32","id":5,"protoName":"last_fetched_epoch"},"logStartOffset":{"type":"int64","id":6,"protoName":"log_start_offset"}}},"ForgottenPartition":{"fields":{"topicId":{"type":"string","id":1,"protoName":"topic_id"},"partition":{"type":"int32","id":2}}},"ReplicaFetchRequest":{"fields":{"replicaId":{"type":"int32","id":1,"protoName":"replica_id"},"replicaEpoch":{"type":"int64","id":2,"protoName":"replica_epoch"},"maxWaitMs":{"type":"int32","id":3,"protoName":"max_wait_ms"},"minBytes":{"type":"int32","id":4,"protoName":"min_bytes"},"maxBytes":{"type":"int32","id":5,"protoName":"max_bytes"},"partitionMaxBytes":{"type":"int32","id":6,"protoName":"partition_max_bytes"},"partitions":{"rule":"repeated","type":"ReplicaFetchPartition","id":7},"forgotten":{"rule":"repeated","type":"ForgottenPartition","id":8},"sequence":{"type":"int32","id":9}}},"ReplicaFetchedPartition":{"fields":{"topicId":{"type":"string","id":1,"protoName":"topic_id"},"partition":{"type":"int32","id":2},"error":{"type":"int32","id":3},"leaderEpoch":{"type":"int32","id":4,"protoName":"leader_epoch"},"highWatermark":{"type":"int64","id":5,"protoName":"high_watermark"},"logStartOffset":{"type":"int64","id":6,"protoName":"log_start_offset"},"logEndOffset":{"type":"int64","id":7,"protoName":"log_end_offset"},"diverging":{"type":"bool","id":8},"divergingEpoch":{"type":"int32","id":9,"protoName":"diverging_epoch"},"divergingEndOffset":{"type":"int64","id":10,"protoName":"diverging_end_offset"},"fetchOffset":{"type":"int64","id":11,"protoName":"fetch_offset"},"records":{"rule":"repeated","type":"bytes","id":12}}},"ReplicaFetchReply":{"fields":{"sequence":{"type":"int32","id":1},"partitions":{"rule":"repeated","type":"ReplicaFetchedPartition","id":2}}}}}}} as const

export const METHODS = {
  raftMessage: { plane: 'control', path: '/faultline.Control/RaftMessage', request: 'RaftMessageRequest', reply: 'RaftMessageReply', streams: false },
  registerBroker: { plane: 'control', path: '/faultline.Control/RegisterBroker', request: 'RegisterBrokerRequest', reply: 'RegisterBrokerReply', streams: false },
  brokerHeartbeat: { plane: 'control', path: '/faultline.Control/BrokerHeartbeat', request: 'BrokerHeartbeatRequest', reply: 'BrokerHeartbeatReply', streams: false },
  alterPartition: { plane: 'control', path: '/faultline.Control/AlterPartition', request: 'AlterPartitionRequest', reply: 'AlterPartitionReply', streams: false },
  allocateProducerIds: { plane: 'control', path: '/faultline.Control/AllocateProducerIds', request: 'AllocateProducerIdsRequest', reply: 'AllocateProducerIdsReply', streams: false },
  forward: { plane: 'control', path: '/faultline.Control/Forward', request: 'ForwardRequest', reply: 'ForwardReply', streams: false },
  followMetadata: { plane: 'control', path: '/faultline.Control/FollowMetadata', request: 'FollowMetadataRequest', reply: 'MetadataBatch', streams: true },
  replicate: { plane: 'replication', path: '/faultline.Replication/Replicate', request: 'ReplicaFetchRequest', reply: 'ReplicaFetchReply', streams: true },
} as const
