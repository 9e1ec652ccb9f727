// What a node tells of itself in numbers. Whoever counts something says what it is called and what it means; a shell writes it down.

export interface MetricSample {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  /** Of a summary: not a quantile, but all that was observed. */
  readonly part?: 'sum' | 'count'
}

export interface MetricFamily {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'summary'
  readonly help: string
  readonly samples: readonly MetricSample[]
}

export function counter(name: string, help: string, what: number | readonly MetricSample[]): MetricFamily {
  return { name, type: 'counter', help, samples: samplesOf(what) }
}

export function gauge(name: string, help: string, what: number | readonly MetricSample[]): MetricFamily {
  return { name, type: 'gauge', help, samples: samplesOf(what) }
}

function samplesOf(what: number | readonly MetricSample[]): readonly MetricSample[] {
  return typeof what === 'number' ? [{ labels: {}, value: what }] : what
}
