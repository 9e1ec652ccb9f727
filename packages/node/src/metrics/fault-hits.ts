// Hits of faults, counted as they are told: a fault that is spent or healed stays counted.
import { counter, type EventFields, type EventSink, type MetricFamily } from '@faultline/base'

interface Hits {
  readonly labels: { readonly fault: string; readonly family: string; readonly kind: string }
  value: number
}

export class FaultHits implements EventSink {
  readonly #events: EventSink
  readonly #hits = new Map<string, Hits>()

  constructor(events: EventSink) {
    this.#events = events
  }

  emit(name: string, fields: EventFields): void {
    this.#events.emit(name, fields)
    if (name !== 'fault.hit') return
    const fault = String(fields.fault)
    let hits = this.#hits.get(fault)
    if (!hits) {
      hits = { labels: { fault, family: String(fields.family), kind: String(fields.kind) }, value: 0 }
      this.#hits.set(fault, hits)
    }
    hits.value++
  }

  families(): MetricFamily[] {
    return [counter('faultline_fault_hits_total', 'How often a fault has hit in this node.', [...this.#hits.values()])]
  }
}
