// What cannot be in an experiment whose every part is well by itself: what one part says of another, and of Kafka.
import type { Refusal } from '@faultline/base'
import { faultProblem, nodeProblem, settingProblem } from '@faultline/director'
import { closest } from './closest.ts'
import { DEEDS, type Experiment, PRODUCING, type Step } from './schema.ts'
import { untestable } from './untestable.ts'
import { hint, type Told } from './words.ts'

export function problemsIn(experiment: Experiment): Told[] {
  return [
    ...clusterProblems(experiment),
    ...topicProblems(experiment),
    ...workloadProblems(experiment),
    ...experiment.timeline.flatMap((step, i) => stepProblems(experiment, step, i)),
    ...expectationProblems(experiment),
  ]
}

function clusterProblems({ cluster }: Experiment): Told[] {
  const { controllers, settings } = cluster
  const even = `${controllers} controllers survive no more failures than ${controllers - 1}: use ${controllers - 1} or ${controllers + 1}`
  return [
    ...(controllers % 2 === 0 ? [{ path: ['cluster', 'controllers'], what: even }] : []),
    ...settingProblems('broker', settings, ['cluster', 'settings']),
  ]
}

function settingProblems(of: 'broker' | 'topic', settings: Readonly<Record<string, string>>, path: PropertyKey[]): Told[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    const problem = settingProblem(of, name, value)
    if (!problem) return []
    const near = problem.names && closest(name, problem.names)
    return [{ path: [...path, name], what: `${problem.what}${near ? `; did you mean "${near}"?` : ''}` }]
  })
}

function topicProblems({ topics, cluster }: Experiment): Told[] {
  return topics.flatMap(({ name, replicas, config }, i) => {
    const least = Number(config['min.insync.replicas'] ?? cluster.settings['min.insync.replicas'] ?? 1)
    const told = (key: string, what: string) => ({ path: ['topics', i, ...key.split(' ')], what })
    return [
      ...(topics.findIndex((t) => t.name === name) < i ? [told('name', `there is a topic "${name}" already`)] : []),
      ...(replicas > cluster.brokers
        ? [told('replicas', `${replicas} replicas need as many brokers, there are ${cluster.brokers}`)]
        : []),
      ...(least > replicas
        ? [
            told(
              'config',
              `min.insync.replicas is ${least} and there are ${replicas} replicas: nothing is ever acknowledged to acks=all`,
            ),
          ]
        : []),
      ...settingProblems('topic', config, ['topics', i, 'config']),
    ]
  })
}

function workloadProblems({ topics, workload }: Experiment): Told[] {
  const names = topics.map((t) => t.name)
  const missing = workload.flatMap((w, i) =>
    (['topic', 'from', 'to'] as const).flatMap((key) => {
      const name = (w as Partial<Record<typeof key, string>>)[key]
      return name === undefined || names.includes(name) ? [] : [{ path: ['workload', i, key], what: noTopic(name, names) }]
    }),
  )
  const apps = workload.flatMap((w, i) => (w.kind === 'app' ? [i] : []))
  const second = { path: ['workload', apps[1] ?? 0], what: 'there is a program already: one, with replicas' }
  const nobody = { path: ['workload'], what: `nobody produces: add a workload of the kind ${PRODUCING.join(', ')}` }
  return [...missing, ...(apps.length > 1 ? [second] : []), ...(workload.some((w) => PRODUCING.includes(w.kind)) ? [] : [nobody])]
}

function noTopic(name: string, names: readonly string[]): string {
  return `there is no topic "${name}" under topics: ${names.join(', ')}${closest(name, names) ? hint(name, names) : ''}`
}

function stepProblems(experiment: Experiment, step: Step, i: number): Told[] {
  const { timeline } = experiment
  const told = (what: string, ...key: PropertyKey[]) => ({ path: ['timeline', i, ...key], what })
  const { id, heal, fault } = step
  const deed = DEEDS.find((d) => step[d] !== undefined)!
  const problems: Told[] = []
  if (id !== undefined && timeline.findIndex((s) => s.id === id) < i) problems.push(told(`there is a step "${id}" already`, 'id'))
  if (id !== undefined && !fault) problems.push(told(`only a fault is healed by an id, and this step is ${deed}`, 'id'))
  if (heal !== undefined && heal !== 'all') {
    const healed = timeline.find((s) => s.id === heal)
    const ids = timeline.flatMap((s) => s.id ?? [])
    if (!healed) problems.push(told(`heal: no step has the id "${heal}"${hint(heal, [...ids, 'all'])}`, 'heal'))
    else if (healed.at > step.at) problems.push(told(`"${heal}" has not begun then: it begins after ${healed.at} ms`, 'heal'))
  }
  if (fault) problems.push(...faultProblems(experiment, fault).map(({ path, what }) => told(what, 'fault', ...path)))
  else if (deed !== 'heal') problems.push(...nodeProblems(experiment, step[deed] as string).map((what) => told(what, deed)))
  return problems
}

type Fault = NonNullable<Step['fault']>

/** One part after the other, so that it is known which of them it is. */
const PARTS: readonly (keyof Fault)[] = ['with', 'where', 'node', 'from', 'to', 'when']

function faultProblems(experiment: Experiment, fault: Fault): Told[] {
  const { cluster } = experiment
  const problem = faultProblem(fault, cluster)
  if (problem) {
    const { family, kind } = fault
    let tried = { family, kind, where: {}, with: {}, observe: false } as Fault
    const is = (other: ReturnType<typeof faultProblem>) => other?.message === problem.message
    if (is(faultProblem(tried, cluster))) return [{ path: ['kind'], what: wordsOf(problem) }]
    for (const part of PARTS) {
      if (fault[part] === undefined) continue
      tried = { ...tried, [part]: fault[part] }
      if (is(faultProblem(tried, cluster))) return [{ path: [part], what: wordsOf(problem) }]
    }
    return [{ path: [], what: wordsOf(problem) }]
  }
  if (fault.family === 'link' && !cluster.proxied)
    return [{ path: ['family'], what: 'links go directly from node to node: give the cluster proxied: true' }]
  return (['node', 'from', 'to'] as const).flatMap((key) =>
    fault[key] === undefined ? [] : nodeProblems(experiment, fault[key]).map((what) => ({ path: [key], what })),
  )
}

function wordsOf({ message, advice }: Refusal): string {
  return advice ? `${message}: ${advice}` : message
}

/** A node, a role of a partition that there is, or a copy of the program. */
function nodeProblems({ cluster, topics, workload }: Experiment, selector: string): string[] {
  if (selector.startsWith('app:')) return copyProblems(workload, selector)
  const [, topic, partition] = /^(?:leader|follower):(.+)-(\d+)$/.exec(selector) ?? []
  const names = topics.map((t) => t.name)
  if (topic === undefined) {
    const problem = nodeProblem(selector, cluster)
    return problem ? [wordsOf(problem)] : []
  }
  // Kafka's own topics are made when somebody needs them.
  if (topic.startsWith('__')) return []
  const found = topics.find((t) => t.name === topic)
  if (!found) return [noTopic(topic, names)]
  return Number(partition) < found.partitions ? [] : [`${topic} has the partitions 0 to ${found.partitions - 1}`]
}

function copyProblems(workload: Experiment['workload'], selector: string): string[] {
  const app = workload.find((w) => w.kind === 'app')
  const number = Number(selector.slice('app:'.length))
  if (app && Number.isInteger(number) && number >= 1 && number <= app.replicas) return []
  const there = app ? `there are app:1 to app:${app.replicas}` : 'add a workload of the kind app, or give --app COMMAND'
  return [`a step is about ${selector}, which there is not: ${there}`]
}

function expectationProblems(experiment: Experiment): Told[] {
  const { expect, topics } = experiment
  const told = (what: string, ...key: PropertyKey[]) => ({ path: ['expect', ...key], what })
  const wanted = Object.entries(expect).filter(([, limit]) => limit !== undefined)
  if (wanted.length === 0) return [told('nothing is expected, so nothing can fail')]
  const names = topics.map((t) => t.name)
  const { from, to } = expect.exactlyOnce ?? {}
  const copies = { from, to }
  return [
    ...wanted.flatMap(([name]) => {
      const why = untestable(name as keyof Experiment['expect'], experiment)
      return why === undefined ? [] : [told(`${name} can never be put to the test: ${why}`, name)]
    }),
    ...(['unavailability', 'ackP99', 'progress'] as const).flatMap((name) =>
      expect[name] === 0 ? [told(`${name}: nothing takes no time, so this can never hold`, name)] : [],
    ),
    ...(['from', 'to'] as const).flatMap((key) =>
      copies[key] === undefined || names.includes(copies[key]) ? [] : [told(noTopic(copies[key], names), 'exactlyOnce', key)],
    ),
    ...(from !== undefined && from === to ? [told(`"${from}" is no copy of itself`, 'exactlyOnce', 'to')] : []),
  ]
}
