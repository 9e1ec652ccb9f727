// What cannot be had, makes no sense, or contradicts what is armed: one clear message each, and the cluster is as it was.
import { type FaultRequestInput, startCluster, type StartedCluster } from '@faultline/director'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DIST, kafkaFor, until, withAdmin } from '../support/cluster.ts'

let cluster: StartedCluster
beforeAll(async () => {
  cluster = await startCluster({ brokers: 2, controllers: 1, proxied: true }, DIST)
})
afterAll(() => cluster[Symbol.asyncDispose]())

type Request = Readonly<Record<string, unknown>>
const protocol = (more: Request = {}): Request => ({ family: 'protocol', kind: 'delay', ...more })
const storage = (more: Request = {}): Request => ({ family: 'storage', kind: 'full', ...more })
const clock = (more: Request = {}): Request => ({ family: 'clock', kind: 'freeze', ...more })
const link = (more: Request = {}): Request => ({ family: 'link', kind: 'cut', ...more })
const load = (more: Request = {}): Request => ({ family: 'load', kind: 'garbage', ...more })
const process = (more: Request = {}): Request => ({ family: 'process', kind: 'kill', ...more })
const add = (request: Request) => cluster.fault(request as unknown as FaultRequestInput)

async function isWell(): Promise<boolean> {
  await withAdmin(kafkaFor(cluster.bootstrap), (admin) => admin.listTopics())
  return (await cluster.cluster.nodes()).every((n) => n.state === 'running' || n.state === 'active')
}

describe('a fault that makes no sense', () => {
  it.each<[string, Request, RegExp]>([
    ['family', { family: 'nonsense', kind: 'kill' }, /family/],
    ['kind', protocol({ kind: 'explode' }), /no kind "explode", but error, delay/],
    ['field', protocol({ colour: 'red' }), /colour/],
    ['parameter', protocol({ with: { hours: 1 } }), /no parameter "hours"; it has ms, stage/],
    ['number', protocol({ with: { ms: 'soon' } }), /ms=soon is no number/],
    ['nothing as a number', protocol({ with: { ms: '' } }), /is no number/],
    ['number below', protocol({ with: { ms: -1 } }), /ms=-1 is below 0/],
    ['number above', link({ kind: 'latency', with: { latency: 5, toxicity: 7 } }), /toxicity=7 is above 1/],
    ['word', protocol({ with: { stage: 'between' } }), /stage=between is none of before, after/],
    ['API', protocol({ where: { apis: ['Prodce'] } }), /there is no API "Prodce"/],
    ['error', protocol({ kind: 'error', with: { error: 'NO_SUCH_ERROR' } }), /"NO_SUCH_ERROR" is no error of Kafka/],
    ['no error', protocol({ kind: 'error', with: { error: 'NONE' } }), /"NONE" is no error/],
    ['API of another kind', protocol({ kind: 'metadata', where: { apis: ['Fetch'] } }), /acts on Metadata alone/],
    ['nothing to cap', protocol({ kind: 'cap-versions' }), /needs an API/],
    ['unknown API to cap', protocol({ kind: 'cap-versions', with: { api: 'Fetsch' } }), /there is no API "Fetsch"/],
    ['ttl of nothing', protocol({ ttl: '0s' }), /no time from 1ms to 24h/],
    ['ttl of a year', protocol({ ttl: '9000h' }), /no time from 1ms to 24h/],
    ['ttl in words', protocol({ ttl: 'a while' }), /no time from 1ms to 24h/],
    ['count of nothing', protocol({ count: 0 }), /count/],
    ['two triggers', protocol({ nth: 1, every: 2 }), /contradict/],
    ['an nth that comes often', protocol({ nth: 3, count: 2 }), /nth and count contradict/],
    ['chance', protocol({ probability: 2 }), /probability/],
    ['a seed of nothing', protocol({ seed: 7 }), /a seed belongs to a probability/],
    ['a predecessor', protocol({ after: { fault: 'f999' } }), /no fault f999 to come after/],
    ['condition', protocol({ when: 'txn(t).stat = X' }), /column 8: txn has no "stat"/],
    ['condition that cannot be', protocol({ when: 'isr(a-0).size < 0' }), /column 1: .*can never be true/],
    ['condition without an owner', protocol({ when: 'offset(g:a-0).lag > 5' }), /column 15: nobody owns a group's lag/],
    ['condition on nobody', protocol({ when: 'broker(7).fenced = true' }), /can never be true: there is no broker 7/],
    ['leader that nobody is', protocol({ when: 'leader(a-0).id = 7' }), /can never be true: there is no broker 7/],
    ['controller that nobody is', protocol({ when: 'controller(active).id = 1' }), /there is no controller 1/],
    ['ISR of more than there are', protocol({ when: 'isr(a-0).size >= 3' }), /can never be true: there are 2 brokers/],
    ['node', protocol({ node: 'broker:9' }), /broker:9 is no node of this cluster/],
    ['role', protocol({ node: 'minister:defence' }), /minister:defence is no node/],
    ['role, for later', process({ node: 'leader:orders', when: 'isr(a-0).size = 1' }), /leader:orders is no node/],
    ['role that nobody has', process({ node: 'leader:nothing-0' }), /there is no partition nothing-0/],
    ['node that serves no clients', protocol({ node: 'controller:101' }), /serves no clients/],
    ['selector', storage({ where: { group: 'g' } }), /storage faults do not choose by group/],
    ['selector of a clock', clock({ where: { topic: 'a' } }), /clock faults do not choose by topic/],
    ['file', storage({ where: { file: 'music' } }), /no "music" files/],
    ['partition without a topic', storage({ where: { partition: 1 } }), /only with its topic/],
    ['logs of a controller', storage({ node: 'controller:101', where: { file: 'log' } }), /controller:101 has no log files/],
    ['raft files of a broker', storage({ node: 'broker:1', where: { file: 'raft' } }), /broker:1 has no raft files/],
    ['topics in a quorum', storage({ node: 'controller:101', where: { topic: 'a' } }), /has no files of topics/],
    ['slow index', storage({ kind: 'slow', where: { file: 'index' } }), /nobody waits for index files/],
    ['power loss by chance', storage({ kind: 'lose-unsynced', probability: 0.5 }), /armed until the node is killed/],
    ['occasions of a clock', clock({ nth: 2 }), /no occasions/],
    ['count of a clock', clock({ count: 1 }), /no occasions to choose or count/],
    ['clock that runs back', clock({ kind: 'drift', with: { rate: 0 } }), /runs forward/],
    ['link of a node', link({ node: 'broker:1' }), /a link is between two/],
    ['link of nobody', link({ from: 'broker:7' }), /broker:7 is no node/],
    ['link that nobody dials', link({ from: 'clients', to: 'controller:101' }), /no link matches/],
    ['count of a link', link({ count: 3 }), /no occasions/],
    ['condition of a link', link({ when: 'isr(a-0).size = 1' }), /no occasions/],
    ['plane', link({ plane: 'astral' }), /plane/],
    ['partition of two', link({ kind: 'partition', from: 'broker:1' }), /among many/],
    ['link of another family', protocol({ from: 'broker:1' }), /from, to and plane are of links/],
    ['occasions of load', load({ every: 2 }), /no occasions/],
    ['load to observe', load({ observe: true }), /nothing to observe/],
    ['load on a controller', load({ node: 'controller:101' }), /serves no clients/],
    ['nobody to kill', process(), /needs a node/],
    ['occasions of a process', process({ node: 'broker:1', every: 3 }), /a process has none/],
    ['point', process({ kind: 'crash-at-point', where: { point: 'nowhere' } }), /nowhere is no point in the code/],
    ['point of a kill', process({ node: 'broker:1', where: { point: 'produce.appended' } }), /does not wait for a point/],
    [
      'point in a controller',
      process({ kind: 'pause-at-point', node: 'controller:101', where: { point: 'produce.appended' } }),
      /never comes/,
    ],
    ['roll of one', process({ kind: 'roll', node: 'broker:1' }), /a roll is of many/],
    ['roll of others', process({ kind: 'roll', with: { target: 'clients' } }), /target=clients is none of brokers/],
    ['count of rolls', process({ kind: 'roll', count: 2 }), /a roll is one/],
  ])('(%s) is refused, and changes nothing', async (_what, request, message) => {
    await expect(add(request)).rejects.toThrow(message)
    expect(await cluster.faults()).toEqual([])
  })

  it('leaves the cluster as it was', async () => {
    expect(await isWell()).toBe(true)
    await expect(cluster.heal('f1')).rejects.toThrow('there is no fault f1')
  })
})

describe('a fault that contradicts another', () => {
  it.each<[string, Request, Request, RegExp]>([
    [
      'a full disk twice',
      storage({ node: 'broker:2', where: { topic: 'a' } }),
      storage({ node: 'broker:2', where: { topic: 'a' } }),
      /full contradicts f\d+/,
    ],
    [
      'a full disk within a full disk',
      storage({ where: { file: 'snapshot' } }),
      storage({ node: 'broker:1', where: { file: 'snapshot', topic: 'a' } }),
      /the snapshot files of broker:1/,
    ],
    [
      'a cut of a link that refuses',
      link({ kind: 'refuse', from: 'broker:1', to: 'broker:2' }),
      link({ from: 'broker:1' }),
      /cut contradicts f\d+ \(link refuse\), which has the link broker-1/,
    ],
    [
      'a refusal on a link that is cut',
      link({ plane: 'replication' }),
      link({ kind: 'refuse' }),
      /refuse contradicts f\d+ \(link cut\)/,
    ],
    [
      'a refusal twice',
      link({ kind: 'refuse', from: 'clients' }),
      link({ kind: 'refuse', from: 'clients', to: 'broker:1' }),
      /which has the link clients.broker-1/,
    ],
    [
      'a frozen clock that drifts',
      clock({ node: 'broker:2' }),
      clock({ kind: 'drift' }),
      /drift contradicts f\d+ \(clock freeze\), which has the clock of broker:2/,
    ],
  ])('(%s) is refused until that is healed', async (_what, first, second, message) => {
    const { id } = await add(first)
    await expect(add(second)).rejects.toThrow(message)
    expect((await cluster.faults()).filter((f) => f.state === 'armed').map((f) => f.id)).toEqual([id])
    await cluster.heal(id)
    const { id: next } = await add(second)
    await cluster.heal(next)
  })

  it('(what is stopped already) is refused', async () => {
    await add(process({ kind: 'pause', node: 'broker:2' }))
    await expect(add(process({ kind: 'pause', node: 'broker:2' }))).rejects.toThrow('broker:2 is paused already')
    await expect(add(protocol({ node: 'broker:2' }))).rejects.toThrow('broker:2 does not answer')
    await cluster.healAll()
    await add(process({ node: 'broker:2' }))
    await expect(add(process({ node: 'broker:2' }))).rejects.toThrow('broker:2 is not running')
    await expect(add(process({ kind: 'pause', node: 'broker:2' }))).rejects.toThrow('broker:2 is not running')
    await cluster.healAll()
    await until('a cluster that is well', isWell)
  })
})

it('what matches nothing yet is armed, and says that it has matched nothing', async () => {
  await add(protocol({ where: { apis: ['Metadata'], topic: 'later' }, with: { ms: 1 } }))
  const matched = async () => (await cluster.faults()).find((f) => f.state === 'armed')!.matched
  expect(await matched()).toBe(0)
  await withAdmin(kafkaFor(cluster.bootstrap), async (admin) => {
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic: 'later', numPartitions: 1, replicationFactor: 1 }] })
    await admin.fetchTopicMetadata({ topics: ['later'] })
  })
  expect(await matched()).toBeGreaterThan(0)
  await cluster.healAll()
})
