// Requests by API and version, and how long they took: from when a request had its turn to when its answer was there.
import { counter, type MetricFamily, type MetricSample } from '@faultline/base'
import { type Api, fetch } from '@faultline/protocol'
import { Durations } from './durations.ts'

const QUANTILES: readonly (readonly [string, number])[] = [
  ['0.50', 0.5],
  ['0.75', 0.75],
  ['0.95', 0.95],
  ['0.98', 0.98],
  ['0.99', 0.99],
  ['0.999', 0.999],
]

export class ApiMetrics {
  readonly api: Api
  readonly times = new Durations()
  /** Requests by version, from the API's first one on. */
  readonly versions: Float64Array

  constructor(api: Api) {
    this.api = api
    this.versions = new Float64Array(api.maxVersion - api.minVersion + 1)
  }

  answered(version: number, ms: number, now: number): void {
    this.versions[version - this.api.minVersion]!++
    this.times.add(ms, now)
  }
}

export class RequestMetrics {
  readonly #apis = new Map<number, ApiMetrics>()

  of(api: Api): ApiMetrics {
    let metrics = this.#apis.get(api.key)
    if (!metrics) this.#apis.set(api.key, (metrics = new ApiMetrics(api)))
    return metrics
  }

  families(now: number): MetricFamily[] {
    const all = [...this.#apis.values()].flatMap((metrics) => namesOf(metrics.api).map((request) => ({ request, metrics })))
    return [
      counter(
        'kafka_network_requestmetrics_requests_total',
        'Requests by API and version.',
        all.flatMap(({ request, metrics }) => requestSamples(request, metrics)),
      ),
      {
        name: 'kafka_network_requestmetrics_totaltimems',
        type: 'summary',
        help: 'Milliseconds from when a request had its turn to when its answer was there; quantiles of the last one to two minutes.',
        samples: all.flatMap(({ request, metrics }) => timeSamples(request, metrics.times, now)),
      },
    ]
  }
}

/** Kafka counts a consumer's Fetch twice, also by itself. Replicas have a stream of their own here, so every Fetch is a consumer's. */
function namesOf({ key, name }: Api): string[] {
  return key === fetch.key ? [name, 'FetchConsumer'] : [name]
}

function requestSamples(request: string, { api, versions }: ApiMetrics): MetricSample[] {
  const samples = [...versions].map((value, i) => ({ labels: { request, version: api.minVersion + i }, value }))
  return samples.filter(({ value }) => value > 0)
}

function timeSamples(request: string, times: Durations, now: number): MetricSample[] {
  const values = times.quantiles(
    QUANTILES.map(([, q]) => q),
    now,
  )
  return [
    ...QUANTILES.map(([quantile], i) => ({ labels: { request, quantile }, value: values[i]! })),
    { labels: { request }, value: times.sumMs, part: 'sum' },
    { labels: { request }, value: times.count, part: 'count' },
  ]
}
