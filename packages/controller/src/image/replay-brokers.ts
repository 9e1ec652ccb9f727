// Replay of the broker family: registration, fencing, controlled shutdown.
import { assert } from '@faultline/base'
import type { MetadataRecordValue } from '@faultline/protocol'
import type { BrokerState } from './broker-state.ts'
import type { ClusterImage } from './cluster-image.ts'

export function replayRegisterBroker(image: ClusterImage, value: MetadataRecordValue<'RegisterBrokerRecord'>): void {
  image.brokers.set(value.brokerId, {
    id: value.brokerId,
    epoch: value.brokerEpoch,
    incarnationId: value.incarnationId,
    listeners: value.endPoints.map(({ name, host, port }) => ({ name, host, port })),
    rack: value.rack,
    logDirs: value.logDirs,
    fenced: value.fenced,
    inControlledShutdown: value.inControlledShutdown,
  })
}

export function replayUnregisterBroker(image: ClusterImage, value: MetadataRecordValue<'UnregisterBrokerRecord'>): void {
  registered(image, value.brokerId, value.brokerEpoch)
  image.brokers.delete(value.brokerId)
}

export function replayBrokerChange(image: ClusterImage, value: MetadataRecordValue<'BrokerRegistrationChangeRecord'>): void {
  const broker = registered(image, value.brokerId, value.brokerEpoch)
  image.brokers.set(broker.id, {
    ...broker,
    fenced: value.fenced === 0 ? broker.fenced : value.fenced === 1,
    inControlledShutdown: value.inControlledShutdown === 1 || broker.inControlledShutdown,
  })
}

export function replayFence(image: ClusterImage, value: MetadataRecordValue<'FenceBrokerRecord'>): void {
  image.brokers.set(value.id, { ...registered(image, value.id, value.epoch), fenced: true })
}

export function replayUnfence(image: ClusterImage, value: MetadataRecordValue<'UnfenceBrokerRecord'>): void {
  image.brokers.set(value.id, { ...registered(image, value.id, value.epoch), fenced: false })
}

function registered(image: ClusterImage, id: number, epoch: number): BrokerState {
  const broker = image.brokers.get(id)
  assert(broker?.epoch === epoch, `record for broker ${id} epoch ${epoch}, registered with ${broker?.epoch}`)
  return broker
}
