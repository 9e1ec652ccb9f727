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

const complaint = (text: string, parameters = {}) => {
  try {
    readExperiment('my.yaml', text, parameters)
    return 'none'
  } catch (error) {
    expect(error).toBeInstanceOf(Refusal)
    return (error as Refusal).message
  }
}

describe('an experiment', () => {
  it('is read with defaults and parameters', () => {
    const experiment = readExperiment('my.yaml', GOOD, { partitions: 5 })
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
    ['no YAML', 'name: [', GOOD, /^my\.yaml:/],
    ['a list', '- a\n', GOOD, /my\.yaml:1:1: an experiment is a map/],
    [
      'an unknown key',
      'expext: {}',
      'expect: { lost: 0, unavailability: 15s }',
      /:10:\d+: "expext" means nothing here; did you mean "expect"\?/,
    ],
    [
      'an unknown key in a list',
      'partitons: 3',
      'partitions: "${partitions}"',
      /:5:\d+: "partitons" means nothing here; did you mean "partitions"\?/,
    ],
    [
      'an unknown topic',
      'topic: oders',
      'topic: orders',
      /:7:\d+: workload\.topic: there is no topic "oders" under topics: orders/,
    ],
    ['a time that is none', 'unavailability: soon', 'unavailability: 15s', /:10:\d+: expect\.unavailability: "soon" is no time/],
    [
      'more replicas than brokers',
      'name: orders, replicas: 5',
      'name: orders',
      /:5:\d+: topics\.replicas: 5 replicas need as many brokers/,
    ],
    ['nothing expected', 'expect: {}', 'expect: { lost: 0, unavailability: 15s }', /nothing is expected, so nothing can fail/],
    [
      'an unknown parameter',
      '"${partions}"',
      '"${partitions}"',
      /:5:\d+: there is no parameter "partions"; did you mean "partitions"\?/,
    ],
    ['two deeds in one step', 'at: 0s, kill: broker:1', 'at: 0s', /one step does one thing, not fault and kill/],
    ['a heal of nothing', 'at: 0s, heal: f }\n  - { at: 0s', 'at: 0s', /no step has the id "f"/],
    ['an unknown fault family', 'family: proces', 'family: process', /:9:\d+: timeline\.fault\.family/],
  ])('with %s is refused where it is wrong', (_, wrong, right, message) => {
    const text = wrong === 'name: [' || wrong === '- a\n' ? wrong : GOOD.replace(right, wrong)
    expect(complaint(text)).toMatch(message)
  })

  it('is refused with a parameter that it has not', () => {
    expect(complaint(GOOD, { partition: 3 })).toMatch(/there is no parameter "partition"; did you mean "partitions"\?/)
  })
})
