// The dashboard beside a cluster: what its queries name is what nodes and the director really serve, by way of the director.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic, startTestCluster, type TestCluster, until } from '../support/cluster.ts'
import { parseExposition } from '../support/exposition.ts'

interface Target {
  readonly targets: readonly string[]
  readonly labels: Readonly<Record<string, string>>
}

interface Query {
  readonly expr: string
  readonly legendFormat?: string
}

const DASHBOARD = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../docker/grafana/dashboards/faultline.json'), 'utf8'),
) as { panels: { title: string; targets: Query[] }[]; annotations: { list: Query[] } }

const QUERIES = [...DASHBOARD.panels.flatMap((p) => p.targets), ...DASHBOARD.annotations.list]

/** Names of metrics with what stands in braces behind them. */
function selectors({ expr }: Query): { name: string; matchers: readonly [label: string, op: string, value: string][] }[] {
  return [...expr.matchAll(/\b((?:kafka|faultline|process|nodejs|up)(?:_[a-z_]+)?)\b(?:\{([^}]*)\})?/g)].map(
    ([, name, braces = '']) => ({
      name: name!,
      matchers: [...braces.matchAll(/(\w+)(=|!=)"([^"]*)"/g)].map(([, label, op, value]) => [label!, op!, value!]),
    }),
  )
}

function labelsOf({ expr, legendFormat = '' }: Query): string[] {
  const grouped = [...expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, names]) => names!.split(/, */))
  return [...grouped, ...[...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name!)]
}

describe('the dashboard', () => {
  let test: TestCluster
  /** As Prometheus has them: with the labels of their targets. */
  let samples: { readonly name: string; readonly labels: Readonly<Record<string, string>> }[]
  let targets: Target[]
  const url = (path: string) => `${test.cluster.folder.supervisor()!.api}${path}`

  beforeAll(async () => {
    test = await startTestCluster({ proxied: true })
    await createTopic(test.kafka, 'orders', 3)
    const producer = test.kafka.producer()
    await producer.connect()
    await producer.send({ topic: 'orders', acks: -1, messages: [{ value: 'a' }] })
    await producer.disconnect()
    await test.cluster.addFault({ family: 'link', kind: 'latency', from: 'clients', with: { latency: 1 } })
    await until('a hit', async () => (await test.cluster.faults())[0]!.hits > 0)
    targets = (await (await fetch(url('/v1/targets'))).json()) as Target[]
    samples = (await Promise.all(targets.map(scrape))).flat()
  })
  afterAll(() => test[Symbol.asyncDispose]())

  const scrape = async ({ targets: [host], labels: { __metrics_path__: path, ...labels } }: Target) => {
    const response = await fetch(`http://${host}${path}`)
    expect(response.status).toBe(200)
    const scraped = parseExposition(await response.text()).samples.map((s) => ({ ...s, labels: { ...s.labels, ...labels } }))
    return [...scraped, { name: 'up', labels: { job: 'faultline', ...labels } }]
  }

  it('finds every node and the director', () => {
    const names = ['controller:101', 'controller:102', 'controller:103', 'broker:1', 'broker:2', 'broker:3', 'director']
    expect(targets.map((t) => t.labels['instance'])).toEqual(names)
  })

  it('asks in every query for what is served, by labels that it has', () => {
    for (const query of QUERIES) {
      for (const { name, matchers } of selectors(query)) {
        const matching = samples.filter(
          (s) => s.name === name && matchers.every(([label, op, value]) => ((s.labels[label] ?? '') === value) === (op === '=')),
        )
        expect(matching.length, `${name} in ${query.expr}`).toBeGreaterThan(0)
      }
      const known = new Set(
        selectors(query).flatMap(({ name }) => samples.filter((s) => s.name === name).flatMap((s) => Object.keys(s.labels))),
      )
      for (const label of labelsOf(query)) expect([...known], `${label} in ${query.expr}`).toContain(label)
    }
    expect(QUERIES.flatMap(selectors).length).toBeGreaterThan(30)
  })

  it('does not see a node that is dead', async () => {
    await test.cluster.act('kill', 'broker:2')
    expect((await fetch(url('/v1/nodes/broker:2/metrics'))).status).toBe(409)
    expect((await fetch(url('/v1/nodes/broker:1/metrics'))).status).toBe(200)
  })
})
