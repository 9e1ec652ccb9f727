// What a person reads while an experiment runs: one sentence for what happened in one moment.
import type { ClusterEvent } from '@faultline/director'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Narrator } from '../src/chaos/narrator.ts'

const CONTROLLER = 'controller:101'
let said: string[]
let run: { isUnderway: boolean; acknowledgedSince: () => boolean }
let narrator: Narrator

beforeEach(() => {
  vi.useFakeTimers()
  said = []
  run = { isUnderway: true, acknowledgedSince: () => false }
  narrator = new Narrator((text) => said.push(text), ['orders'], run)
})
afterEach(() => {
  run.isUnderway = false
  vi.useRealTimers()
})

const hear = (event: string, fields: object, node = CONTROLLER) =>
  narrator.hear({ seq: 1, t: 1000, mono: 0, node, event, ...fields } as ClusterEvent)

const change = (partition: number, isr: number[], more: object = {}) =>
  hear('partition.change', { topic: 'orders', partition, leader: 1, leaderEpoch: 4, isr, replicas: [1, 2, 3], ...more })

describe('the narrator', () => {
  it('tells an election of many partitions in one sentence, and when the producer goes on', async () => {
    change(1, [1, 2], { elected: true })
    change(0, [1, 2], { elected: true, leader: 2 })
    await vi.advanceTimersByTimeAsync(100)
    expect(said).toEqual(['controller:101 elects broker 2 for orders-0, leader epoch 4, ISR [1, 2] (and 1 more partitions)'])
    run.acknowledgedSince = () => true
    await vi.advanceTimersByTimeAsync(100)
    expect(said.slice(1)).toEqual(['the producer goes on: orders-0 acknowledges again'])
  })

  it('counts partitions that lack replicas, also from before anything was broken', async () => {
    run.isUnderway = false
    change(0, [1, 2])
    change(1, [1, 2, 3])
    await vi.advanceTimersByTimeAsync(100)
    expect(said).toEqual([])
    expect(narrator.underReplicated).toBe(1)
    run.isUnderway = true
    change(0, [1, 2, 3])
    await vi.advanceTimersByTimeAsync(100)
    expect(said).toEqual([
      'ISR of orders-0 is [1, 2, 3]; under-replicated partitions: 0',
      'under-replicated partitions: 0; every ISR is full again',
    ])
  })

  it('says that nobody leads', async () => {
    change(0, [1], { elected: true, leader: -1 })
    await vi.advanceTimersByTimeAsync(100)
    expect(said).toEqual(['controller:101 elects nobody for orders-0, leader epoch 4, ISR [1]'])
  })

  it('tells the first hit of a fault, not the thousandth', () => {
    for (let i = 0; i < 3; i++)
      hear('fault.hit', { fault: 'f1', family: 'protocol', kind: 'error', api: 'Produce', partition: 2 }, 'broker:2')
    expect(said).toEqual(['f1 (protocol error) hits at broker:2, api Produce, partition 2'])
  })

  it('leaves out what is not of the experiment', async () => {
    change(0, [1], { topic: '__consumer_offsets' })
    hear('replica.truncate', { topic: '__consumer_offsets', partition: 1, from: 2, to: 1 })
    hear('group.state', { group: 'readers', state: 'Stable' })
    await vi.advanceTimersByTimeAsync(100)
    expect(said).toEqual([])
  })
})
