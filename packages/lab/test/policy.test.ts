// What Kafka allows: each reason has a run in which it holds, and one that is nearly like it in which it does not.
import type { FaultView } from '@faultline/director'
import { describe, expect, it } from 'vitest'
import { checkAll } from '../src/index.ts'
import { experimentOf, type Story, story } from './story.ts'

const LOSING = { id: 'f1', kind: 'lose-unsynced', nodes: ['broker:1', 'broker:2', 'broker:3'] } as unknown as FaultView

const topic = (config: string) => experimentOf('', `, config: { ${config} }`)
const producer = (more: string) => experimentOf(`workload: [{ kind: producer, topic: t, ${more} }]`)

/** Brokers lose power in this order; "+2" is in the ISR again, "-2" has left it. */
function powerLoss(made: Story, words: string): Story {
  made.faults.push(LOSING)
  made.isr([1, 2, 3])
  let isr = [1, 2, 3]
  for (const word of words.split(' ')) {
    const id = Number(word.at(-1))
    if (word.length === 1) made.event('process.exit', 'director', { name: `broker:${id}`, how: 'SIGKILL' })
    else made.isr((isr = word[0] === '+' ? [...isr, id] : isr.filter((other) => other !== id)))
  }
  return made
}

const gone = (made: Story, process = 'producer-1') => {
  const { history } = made
  Object.assign(history.begin(process, 't', 0, 0, 1), { outcome: 'ok', ended: 2 })
  return checkAll(made.facts.left).get('lost')!
}

describe('what is lost', () => {
  it.each<[string, Story, RegExp]>([
    ['to acks=1', story(producer('acks: 1')), /acks=1 is answered before the followers have it/],
    ['to acks=0', story(producer('acks: 0')), /acks=0/],
    [
      'to an unclean election that was allowed',
      story(topic('unclean.leader.election.enable: true')).isr([2], { unclean: true }),
      /unclean\.leader\.election\.enable=true, and t-0 had one/,
    ],
    [
      'where nobody tells of elections',
      story(topic('unclean.leader.election.enable: true')),
      /unclean\.leader\.election\.enable=true/,
    ],
    [
      'to a loss of power of enough',
      powerLoss(story(topic('min.insync.replicas: 2')), '1 2'),
      /2 in-sync replicas of t-0 lost power/,
    ],
    ['one after the other left', powerLoss(story(topic('min.insync.replicas: 2')), '1 -1 2'), /lost power/],
  ])('%s is legal', (_, made, reason) => {
    expect(gone(made)).toMatchObject({ count: 1, legal: 1, reasons: [expect.stringMatching(reason)] })
  })

  it.each<[string, Story]>([
    ['with acks=all', story()],
    ['to an unclean election that nobody allowed', story().isr([2], { unclean: true })],
    ['where an unclean one was allowed and none was held', story(topic('unclean.leader.election.enable: true')).isr([2])],
    ['in another partition', story(topic('unclean.leader.election.enable: true')).isr([2], { unclean: true, partition: 1 })],
    ['to a loss of power of too few', powerLoss(story(topic('min.insync.replicas: 2')), '1')],
    ['when the first had fetched again', powerLoss(story(topic('min.insync.replicas: 2')), '1 -1 +1 2')],
    ['when the others were not in sync', powerLoss(story(topic('min.insync.replicas: 2')), '-2 -3 1 2 3')],
    ['although each record is synced', powerLoss(story(topic('min.insync.replicas: 2, flush.messages: 1')), '1 2 3')],
    [
      'to kills',
      story(topic('min.insync.replicas: 1')).isr([1]).event('process.exit', 'director', { name: 'broker:1', how: 'SIGKILL' }),
    ],
  ])('%s is not', (_, made) => {
    expect(gone(made)).toMatchObject({ count: 1, legal: 0, reasons: [] })
  })
})

describe('what else may be', () => {
  const left = (made: Story) => checkAll(made.facts.left)

  it('a record that is there twice, of a producer that is not idempotent', () => {
    const twice = (more: string) => {
      const made = story(producer(more))
      const read = { op: 'read', process: 'final', topic: 't', partition: 0, key: '', value: 'producer-1/0/0', at: 9 } as const
      made.history.final.push({ ...read, offset: 0 }, { ...read, offset: 1 })
      return left(made).get('duplicated')!
    }
    expect(twice('idempotent: false')).toMatchObject({ count: 1, legal: 1, reasons: [expect.stringMatching(/not idempotent/)] })
    expect(twice('idempotent: true')).toMatchObject({ count: 1, legal: 0 })
  })

  it('what is not committed, read by who asked for it', () => {
    const read = (isolation: string) =>
      left(
        story(experimentOf(`workload: [{ kind: producer, topic: t }, { kind: mixed, topic: t, isolation: ${isolation} }]`))
          .transaction('a', { outcome: 'fail' })
          .send('a0', { in: 'a#0' })
          .read('mixed-2.0', 'a0@0'),
      ).get('abortedRead')!
    expect(read('read_uncommitted')).toMatchObject({ count: 1, legal: 1, reasons: [expect.stringMatching(/asked for/)] })
    expect(read('read_committed')).toMatchObject({ count: 1, legal: 0 })
  })

  it('what kafkajs made of aborted transactions', () => {
    const read = (process: string) =>
      left(
        story(experimentOf('workload: [{ kind: producer, topic: t }, { kind: group, topic: t }, { kind: mixed, topic: t }]'))
          .transaction('a', { outcome: 'fail' })
          .transaction('b')
          .send('a0', { in: 'a#0' })
          .send('b0', { in: 'b#1' })
          .there('- b0 x0')
          .hold(process, { from: 1 })
          .read(process, 'a0@0 x0@2'),
      )
    const some = (found: ReturnType<typeof read>) => ['abortedRead', 'vanished', 'pollSkip'].map((name) => found.get(name)!)
    const kafkajs = { count: 1, legal: 1, reasons: [expect.stringMatching(/kafkajs/)] }
    expect(some(read('group-2/0'))).toMatchObject([kafkajs, kafkajs, kafkajs])
    const ours = { count: 1, legal: 0 }
    expect(some(read('mixed-3.0'))).toMatchObject([ours, ours, ours])
  })

  it('writes that are not isolated; reads in a circle are', () => {
    const made = story()
      .transaction('a')
      .transaction('b')
      .send('a0', { in: 'a#0' })
      .send('b0', { in: 'b#1' })
      .there('a0 b0')
      .read('b', 'a0@0', { in: 'b#1' })
      .read('a', 'b0@1', { in: 'a#0' })
    expect(left(made).get('circularFlow')).toMatchObject({ count: 1, legal: 0 })
    const written = made.send('a1', { in: 'a#0' }).there('- - a1')
    expect(left(written).get('writeCycles')).toMatchObject({ count: 1, legal: 1 })
  })

  it('two owners, of which one has not heard yet that it is none', () => {
    const made = story().hold('r', { group: 'g', generation: 1 }).hold('q', { group: 'g', began: 3, generation: 2 })
    expect(left(made).get('twoOwners')).toMatchObject({ count: 1, legal: 1, reasons: [expect.stringMatching(/next request/)] })
  })

  it('a position that went back because a member committed it', () => {
    const made = story().committed(5, 9, 5, 5)
    expect(left(made).get('commitBack')).toMatchObject({ count: 1, legal: 0 })
    expect(left(made.commit('r', 1, 1, 't-0:5')).get('commitBack')).toMatchObject({ count: 1, legal: 1 })
  })
})

describe('half a transfer', () => {
  const half = (uncleanIn: number) => {
    const bank = experimentOf('workload: [{ kind: bank, topic: t }]', ', config: { unclean.leader.election.enable: true }')
    const made = story(bank).transaction('a').send('a0', { in: 'a#0' }).send('a0', { in: 'a#0', on: 't-1' })
    made.there('a0', 't-0', ['x:-5']).isr([2], { unclean: true, partition: uncleanIn })
    return checkAll(made.facts.left).get('unbalanced')!
  }

  it('is legal where the other half was lost, and nowhere else', () => {
    expect(half(1)).toMatchObject({ count: 1, legal: 1, reasons: [expect.stringMatching(/t-1 had one/)] })
    expect(half(2)).toMatchObject({ count: 1, legal: 0 })
  })
})
