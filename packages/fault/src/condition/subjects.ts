// What conditions can speak of: each subject with its fields, the event that tells of its changes, and who owns it.
import type { Fields } from './condition.ts'

export interface Subject {
  /** How its key is written. */
  readonly key: string
  readonly fields: readonly string[]
  /** The event that is emitted in the step that changes it. */
  readonly event: string
  /** Whose events are to be watched: brokers tell of what they coordinate or lead, controllers of the metadata. */
  readonly vantage: 'broker' | 'controller'
  /** Of an event: its object's key, and its fields by their names here. */
  readonly of: (event: Fields) => { readonly key: string; readonly fields: Fields }
}

const sizeOf = (ids: unknown) => (Array.isArray(ids) ? ids.length : undefined)
const partitionKey = (event: Fields) => `${String(event['topic'])}-${String(event['partition'])}`

export const SUBJECTS: Readonly<Record<string, Subject>> = {
  txn: {
    key: 'transactional id',
    fields: ['state', 'producerId', 'epoch'],
    event: 'transaction.state',
    vantage: 'broker',
    of: ({ transactionalId, state, producerId, producerEpoch }) => ({
      key: String(transactionalId),
      fields: { state, producerId, epoch: producerEpoch },
    }),
  },
  group: {
    key: 'group',
    fields: ['state', 'generation', 'members'],
    event: 'group.state',
    vantage: 'broker',
    of: ({ group, state, generation, members }) => ({ key: String(group), fields: { state, generation, members } }),
  },
  isr: {
    key: 'topic-partition',
    fields: ['size'],
    event: 'partition.change',
    vantage: 'controller',
    of: (event) => ({ key: partitionKey(event), fields: { size: sizeOf(event['isr']) } }),
  },
  leader: {
    key: 'topic-partition',
    fields: ['id', 'epoch'],
    event: 'partition.change',
    vantage: 'controller',
    of: (event) => ({ key: partitionKey(event), fields: { id: event['leader'], epoch: event['leaderEpoch'] } }),
  },
  broker: {
    key: 'broker id',
    fields: ['fenced'],
    event: 'broker.change',
    vantage: 'controller',
    of: ({ broker, fenced }) => ({ key: String(broker), fields: { fenced: Number(fenced) > 0 } }),
  },
}
