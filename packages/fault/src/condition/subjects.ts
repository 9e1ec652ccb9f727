// What conditions can speak of: each subject with its fields, what tells of its changes, and who owns it.
import type { Fields } from './condition.ts'

/** What a field can be: one of some words, or a number from `min` on. */
export type FieldKind = readonly string[] | { readonly min: number }

export interface Subject {
  /** How its key is written. */
  readonly key: string
  readonly keyPattern?: RegExp
  readonly fields: Readonly<Record<string, FieldKind>>
  /** What people look for here and nobody owns, with why, and what to say instead. */
  readonly unowned?: Readonly<Record<string, string>>
  /** What is emitted in the step that changes it; or, of what changes too often to be told, the kind of change that is shown. */
  readonly event: string
  /** Who owns it: brokers what they coordinate, lead or serve, controllers the metadata. */
  readonly vantage: 'broker' | 'controller'
  /** Of an event: its object's key, and its fields by their names here. Without it the owner is asked how its object stands. */
  readonly of?: (event: Fields) => { readonly key: string; readonly fields: Fields }
}

const BOOLEAN = ['true', 'false'] as const
const COUNT = { min: 0 } as const
/** -1 is none. */
const ID = { min: -1 } as const
const PARTITION = { key: 'topic-partition', keyPattern: /^.+-\d+$/ } as const

const sizeOf = (ids: unknown) => (Array.isArray(ids) ? ids.length : undefined)
const partitionKey = (event: Fields) => `${String(event['topic'])}-${String(event['partition'])}`

export const SUBJECTS: Readonly<Record<string, Subject>> = {
  txn: {
    key: 'transactional id',
    fields: {
      state: ['Empty', 'Ongoing', 'PrepareCommit', 'PrepareAbort', 'CompleteCommit', 'CompleteAbort'],
      producerId: COUNT,
      epoch: ID,
    },
    event: 'transaction.state',
    vantage: 'broker',
    of: ({ transactionalId, state, producerId, producerEpoch }) => ({
      key: String(transactionalId),
      fields: { state, producerId, epoch: producerEpoch },
    }),
  },
  group: {
    key: 'group',
    fields: {
      state: ['Empty', 'PreparingRebalance', 'CompletingRebalance', 'Assigning', 'Reconciling', 'Stable'],
      generation: COUNT,
      members: COUNT,
    },
    event: 'group.state',
    vantage: 'broker',
    of: ({ group, state, generation, members }) => ({ key: String(group), fields: { state, generation, members } }),
  },
  member: {
    key: 'group:member id, instance id or client id',
    keyPattern: /^.+:.+$/,
    fields: { count: COUNT },
    event: 'coordinator',
    vantage: 'broker',
  },
  offset: {
    key: 'group:topic-partition',
    keyPattern: /^.+:.+-\d+$/,
    fields: { committed: ID },
    unowned: {
      lag: "nobody owns a group's lag: its coordinator knows what is committed, the leader where the log ends; speak of one of them",
    },
    event: 'coordinator',
    vantage: 'broker',
  },
  partition: {
    ...PARTITION,
    fields: { highWatermark: COUNT, logEnd: COUNT, logStart: COUNT },
    event: 'partition',
    vantage: 'broker',
  },
  follower: {
    key: 'topic-partition:broker id',
    keyPattern: /^.+-\d+:\d+$/,
    fields: { lag: COUNT, logEnd: ID },
    event: 'partition',
    vantage: 'broker',
  },
  client: {
    key: 'client id',
    fields: { connections: COUNT },
    event: 'client',
    vantage: 'broker',
  },
  isr: {
    ...PARTITION,
    fields: { size: COUNT },
    event: 'partition.change',
    vantage: 'controller',
    of: (event) => ({ key: partitionKey(event), fields: { size: sizeOf(event['isr']) } }),
  },
  leader: {
    ...PARTITION,
    fields: { id: ID, epoch: COUNT },
    event: 'partition.change',
    vantage: 'controller',
    of: (event) => ({ key: partitionKey(event), fields: { id: event['leader'], epoch: event['leaderEpoch'] } }),
  },
  broker: {
    key: 'broker id',
    keyPattern: /^\d+$/,
    fields: { fenced: BOOLEAN, state: ['FENCED', 'UNFENCED', 'CONTROLLED_SHUTDOWN'] },
    event: 'broker.change',
    vantage: 'controller',
    of: ({ broker, state }) => ({ key: String(broker), fields: { fenced: state === 'FENCED', state } }),
  },
  controller: {
    key: 'active',
    keyPattern: /^active$/,
    fields: { id: COUNT, epoch: COUNT },
    event: 'controller.active',
    vantage: 'controller',
    of: ({ id, term }) => ({ key: 'active', fields: { id, epoch: term } }),
  },
}
