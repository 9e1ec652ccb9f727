// What a person hears of a file that is wrong: where, what, and what was probably meant.
import { Refusal } from '@faultline/base'
import { describe, expect, it } from 'vitest'
import { readExperiment } from '../src/index.ts'

const GOOD = `name: leader-kill
about: the leader dies
parameters: { partitions: 2 }
topics:
  - { name: orders, partitions: "\${partitions}", config: { min.insync.replicas: 2 } }
workload:
  - { kind: producer, topic: orders }
timeline:
  - { at: 0s, fault: { family: process, kind: kill, node: "leader:orders-0" } }
expect: { lost: 0, unavailability: 15s }
`

const EXPECT = 'expect: { lost: 0, unavailability: 15s }'
const STEP = '  - { at: 0s, fault: { family: process, kind: kill, node: "leader:orders-0" } }'
const TIMELINE = `timeline:\n${STEP}\nexpect`
const LINK = 'family: process, kind: kill, node: "leader:orders-0"'

const complaint = (text: string, parameters = {}) => {
  try {
    readExperiment('my.yaml', text, { parameters })
    return 'none'
  } catch (error) {
    expect(error).toBeInstanceOf(Refusal)
    return (error as Refusal).message
  }
}

describe('an experiment', () => {
  it('is read with defaults and parameters', () => {
    const experiment = readExperiment('my.yaml', GOOD, { parameters: { partitions: 5 } })
    expect(experiment.topics).toEqual([{ name: 'orders', partitions: 5, replicas: 3, config: { 'min.insync.replicas': '2' } }])
    expect(experiment.workload).toEqual([{ kind: 'producer', topic: 'orders', rate: 400, acks: 'all', idempotent: true }])
    expect(experiment.expect).toEqual({ lost: 0, unavailability: 15_000 })
  })

  it('knows the folder that it is in, for programs beside it', () => {
    const app = '  - { kind: producer, topic: orders }\n  - { kind: app, command: "node ${folder}/app.js" }'
    const { workload } = readExperiment('/some/where/my.yaml', GOOD.replace('  - { kind: producer, topic: orders }', app))
    expect(workload[1]).toMatchObject({ command: 'node /some/where/app.js' })
  })

  it('names the first place that is no YAML, and not what follows from it', () => {
    expect(complaint(GOOD.replace('{ kind: producer', '{ kind: "producer')).split('\n')).toHaveLength(1)
  })

  it.each<[string, string, string, RegExp]>([
    // What is no YAML, and what is no experiment.
    ['no YAML', 'name: [', '', /^my\.yaml:/],
    ['nothing', '', '', /^my\.yaml:1:1: an experiment is a map/],
    ['a list', '- a\n', '', /^my\.yaml:1:1: an experiment is a map/],
    ['a tab', '\t- { kind: producer', '  - { kind: producer', /:7:1: there is a tab/],
    ['a key twice', 'about: x\nabout: y', 'about: the leader dies', /:3:1: about is there already/],
    ['a reference to nothing', 'topic: *orders', 'topic: orders', /:7:30: \*orders stands for what is marked with &orders/],
    ['a parameter without quotes', '${partitions}', '"${partitions}"', /:5:\d+: a parameter is written in quotes/],
    // Keys.
    ['an unknown key', 'expext: {}', EXPECT, /:10:\d+: "expext" means nothing here; did you mean "expect"\?$/],
    ['an unknown key of a topic', 'partitons: 3', 'partitions: "${partitions}"', /:5:\d+: "partitons" .* "partitions"\?/],
    ['an unknown key of a workload', 'topic: orders, rat: 4', 'topic: orders', /:7:\d+: "rat" .* did you mean "rate"\?/],
    ["another workload's key", 'topic: orders, members: 4', 'topic: orders', /"members" .* there are kind, topic, rate, acks/],
    ['an unknown key of a fault', 'familly: process', 'family: process', /:9:\d+: "familly" .* did you mean "family"\?$/],
    ['an unknown expectation', 'losst: 0', 'lost: 0', /:10:\d+: "losst" .* did you mean "lost"\?/],
    ['no name', '', 'name: leader-kill\n', /:1:1: name is missing$/],
    ['no time of a step', '', 'at: 0s, ', /:9:\d+: at is missing: a time, like 500ms/],
    ['an empty timeline', 'timeline:\nexpect', TIMELINE, /:8:\d+: timeline is empty: it is a list/],
    // Values.
    ['an unknown kind', 'kind: produser', 'kind: producer', /:7:\d+: kind: "produser" is none of producer,.* "producer"\?/],
    ['a word for a number', 'topic: orders, rate: fast', 'topic: orders', /:7:\d+: rate: "fast" is not a number/],
    ['too small a number', 'topic: orders, rate: -4', 'topic: orders', /:7:\d+: rate: -4 is not more than 0/],
    ['acks that are none', 'topic: orders, acks: 2', 'topic: orders', /:7:\d+: acks: 2 is none of all, 1, 0$/],
    ['a map for a list', 'topics:\n  orders: {', 'topics:\n  - {', /:5:3: topics has to be a list/],
    ['a time that is none', 'unavailability: soon', 'unavailability: 15s', /:10:\d+: unavailability: "soon" is no time/],
    ['a verdict that is none', 'verdict: maybe\ntopics', 'topics', /:4:10: verdict: "maybe" is none of pass, fail/],
    ['an unknown fault family', 'family: proces', 'family: process', /:9:\d+: family: "proces" .* "process"\?/],
    ['an unknown parameter', '"${partions}"', '"${partitions}"', /:5:\d+: there is no parameter "partions"; .* "partitions"\?/],
    // Parts that do not go together.
    ['an unknown topic', 'topic: oders', 'topic: orders', /:7:\d+: there is no topic "oders" under topics: orders/],
    ['an unknown topic in a role', 'leader:oders-0', 'leader:orders-0', /:9:\d+: there is no topic "oders".* "orders"\?/],
    ['a partition that is not', 'leader:orders-7', 'leader:orders-0', /:9:\d+: orders has the partitions 0 to 1/],
    ['a broker that is not', 'broker:9', 'leader:orders-0', /:9:\d+: broker:9 is no node .*use one of broker:1,/],
    [
      'a copy that is not',
      'at: 0s, kill: "app:1" }\n  - { at: 0s',
      'at: 0s',
      /:9:\d+: .*app:1, which there is not: add a workload/,
    ],
    ['more replicas than brokers', 'name: orders, replicas: 5', 'name: orders', /:5:\d+: 5 replicas need as many brokers/],
    ['a topic twice', 'topics:\n  - { name: orders }', 'topics:', /:6:\d+: there is a topic "orders" already/],
    [
      'an id twice',
      `${STEP.replace('0s,', '0s, id: k,')}\n${STEP.replace('0s,', '0s, id: k,')}`,
      STEP,
      /there is a step "k" already/,
    ],
    ['two deeds in one step', 'at: 0s, kill: broker:1', 'at: 0s', /one step does one thing, not fault and kill/],
    ['a heal of nothing', 'at: 0s, heal: f }\n  - { at: 0s', 'at: 0s', /:9:\d+: heal: no step has the id "f"/],
    ['a heal that comes too soon', 'at: 0s, heal: k }\n  - { at: 1s, id: k', 'at: 0s', /:9:\d+: "k" has not begun then/],
    ['a kind that a family has not', 'kind: kil,', 'kind: kill,', /:9:\d+: process has no kind "kil", but kill,/],
    ["another kind's parameter", 'kind: kill, with: { ms: 3 }', 'kind: kill', /:9:\d+: process kill has no parameter "ms"/],
    ["another family's selector", 'kind: kill, where: { topic: orders }', 'kind: kill', /:9:\d+: .* do not choose by topic/],
    ['two ways to choose', 'kind: kill, nth: 2, every: 3', 'kind: kill', /nth, every and probability contradict/],
    ['a link without a proxy', 'family: link, kind: latency, from: "broker:1"', LINK, /:9:\d+: .*give the cluster proxied: true/],
    ['a setting that Kafka has not', 'min.insync.replica', 'min.insync.replicas', /:5:\d+: .* "min.insync.replicas"\?/],
    ['a minimum that is never met', 'min.insync.replicas: 4', 'min.insync.replicas: 2', /:5:\d+: .*nothing is ever acknowledged/],
    ['an even quorum', 'cluster: { controllers: 2 }\ntopics:', 'topics:', /:4:\d+: 2 controllers survive no more/],
    // Expectations that contradict the rest.
    ['nothing expected', 'expect: {}', EXPECT, /:10:\d+: nothing is expected, so nothing can fail/],
    ['lag of nobody', 'lag: 0', 'lost: 0', /:10:\d+: lag can never be put to the test: there is no group/],
    ['halves of no transaction', 'torn: 0', 'lost: 0', /:10:\d+: torn can never .*nothing is written in transactions/],
    ['an end of no program', 'finishes: 3s', 'lost: 0', /:10:\d+: finishes can never .*there is no program/],
    ['copies that nobody makes', 'exactlyOnce: { from: orders, to: b }', 'lost: 0', /:10:\d+: there is no topic "b"/],
    ['what cannot hold', 'unavailability: 0s', 'unavailability: 15s', /:10:\d+: .* nothing takes no time/],
  ])('with %s is refused where it is wrong', (_, wrong, right, message) => {
    expect(complaint(right === '' ? wrong : GOOD.replace(right, () => wrong))).toMatch(message)
  })

  it('tells of everything that is wrong, in the order of the file', () => {
    const text = GOOD.replace('kind: producer', 'kind: produser').replace('lost: 0', 'losst: 0')
    expect(complaint(text).split('\n')).toEqual([expect.stringMatching(/:7:/), expect.stringMatching(/:10:/)])
  })

  it('is refused with a parameter that it has not', () => {
    expect(complaint(GOOD, { partition: 3 })).toMatch(/there is no parameter "partition"; did you mean "partitions"\?/)
  })
})
