// Plans for the broker family: registration with incarnations and epochs, heartbeats, fencing, controlled shutdown (KIP-631, KIP-841, KIP-966).
import { Errors, type MetadataRecord } from '@faultline/protocol'
import type { BrokerHeartbeatRequest, RegisterBrokerRequest } from '@faultline/rpc'
import type { BrokerState } from '../image/broker-state.ts'
import { registration } from '../image/image-records.ts'
import { electLeaderless, removeFromIsrs } from './leadership.ts'
import type { Plan, PlanContext } from './plan.ts'

export interface Registered {
  readonly error: number
  readonly brokerEpoch: number
}

export function planRegistration(context: PlanContext, clusterId: string, request: RegisterBrokerRequest): Plan<Registered> {
  if (request.clusterId !== clusterId) return answer(Errors.INCONSISTENT_CLUSTER_ID)
  if (request.brokerId < 0 || request.listeners.length === 0) return answer(Errors.INVALID_REGISTRATION)
  const old = context.image.brokers.get(request.brokerId)
  if (old?.incarnationId === request.incarnationId)
    return { records: [], response: { error: Errors.NONE, brokerEpoch: old.epoch } }
  if (old && context.hasSession(old.id)) return answer(Errors.DUPLICATE_BROKER_REGISTRATION)
  const broker: BrokerState = {
    id: request.brokerId,
    epoch: context.nextOffset,
    incarnationId: request.incarnationId,
    listeners: request.listeners.map(({ name, host, port }) => ({ name, host, port })),
    rack: request.rack === '' ? null : request.rack,
    logDirs: [request.logDir],
    fenced: true,
    inControlledShutdown: false,
  }
  const unclean = old !== undefined && request.previousBrokerEpoch !== old.epoch
  const records: MetadataRecord[] = [{ type: 'RegisterBrokerRecord', value: registration(broker) }]
  records.push(...removeFromIsrs(context, broker.id, unclean))
  return { records, response: { error: Errors.NONE, brokerEpoch: broker.epoch } }
}

export interface Beat {
  readonly error: number
  readonly isCaughtUp: boolean
  readonly isFenced: boolean
  readonly shouldShutDown: boolean
}

/** `shutdownSeen`: every other active broker has replayed the record that began this broker's controlled shutdown. */
export function planHeartbeat(context: PlanContext, request: BrokerHeartbeatRequest, shutdownSeen: boolean): Plan<Beat> {
  const broker = context.image.brokers.get(request.brokerId)
  if (!broker) return beat(Errors.BROKER_ID_NOT_REGISTERED)
  if (broker.epoch !== request.brokerEpoch) return beat(Errors.STALE_BROKER_EPOCH)
  const isCaughtUp = request.metadataOffset >= broker.epoch
  if (request.wantShutDown) return planShutdown(context, broker, shutdownSeen)
  if (broker.fenced && !request.wantFence && isCaughtUp) {
    const records = [change(broker, { fenced: -1 }), ...electLeaderless(context, broker.id)]
    return { records, response: { error: Errors.NONE, isCaughtUp, isFenced: false, shouldShutDown: false } }
  }
  if (!broker.fenced && request.wantFence) {
    return {
      records: fencing(context, broker),
      response: { error: Errors.NONE, isCaughtUp, isFenced: true, shouldShutDown: false },
    }
  }
  return { records: [], response: { error: Errors.NONE, isCaughtUp, isFenced: broker.fenced, shouldShutDown: false } }
}

/** Fences a broker whose session ended. */
export function planFencing(context: PlanContext, broker: number): readonly MetadataRecord[] {
  const state = context.image.brokers.get(broker)
  return state && !state.fenced ? fencing(context, state) : []
}

function planShutdown(context: PlanContext, broker: BrokerState, shutdownSeen: boolean): Plan<Beat> {
  const response = { error: Errors.NONE, isCaughtUp: true, isFenced: broker.fenced, shouldShutDown: false }
  if (broker.fenced) return { records: [], response: { ...response, shouldShutDown: true } }
  if (!broker.inControlledShutdown) {
    const records = [change(broker, { inControlledShutdown: 1 }), ...removeFromIsrs(context, broker.id, false)]
    return { records, response }
  }
  // Leaderships that nobody else can take over stay; the broker gives up waiting for them by its own timeout.
  const leads = [...context.image.topicsById.values()].some((t) => t.partitions.some((p) => p.leader === broker.id))
  if (leads || !shutdownSeen) return { records: [], response }
  return { records: fencing(context, broker), response: { ...response, isFenced: true, shouldShutDown: true } }
}

function fencing(context: PlanContext, broker: BrokerState): MetadataRecord[] {
  return [change(broker, { fenced: 1 }), ...removeFromIsrs(context, broker.id, false)]
}

function change(broker: BrokerState, value: { fenced?: number; inControlledShutdown?: number }): MetadataRecord {
  return {
    type: 'BrokerRegistrationChangeRecord',
    value: {
      brokerId: broker.id,
      brokerEpoch: broker.epoch,
      fenced: 0,
      inControlledShutdown: 0,
      logDirs: [],
      cordonedLogDirs: null,
      ...value,
    },
  }
}

function answer(error: number): Plan<Registered> {
  return { records: [], response: { error, brokerEpoch: -1 } }
}

function beat(error: number): Plan<Beat> {
  return { records: [], response: { error, isCaughtUp: false, isFenced: true, shouldShutDown: false } }
}
