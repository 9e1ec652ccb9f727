// The process itself: memory, CPU, and how late its event loop is. A paused process, or one that computes for long, shows here.
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { counter, gauge, type MetricFamily } from '@faultline/base'

/** A timer that is due so often measures how late it is. */
const RESOLUTION_MS = 20
const NANOS = 1e9
const MICROS = 1e6

const QUANTILES = ['0.5', '0.9', '0.99', '0.999'] as const

export class ProcessMetrics {
  readonly #delay: IntervalHistogram
  readonly #started = Date.now() - process.uptime() * 1000

  constructor() {
    this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
    this.#delay.enable()
  }

  /** Delays are those since the last time. */
  families(): MetricFamily[] {
    const { rss, heapUsed, external } = process.memoryUsage()
    const { user, system } = process.cpuUsage()
    const families: MetricFamily[] = [
      gauge('process_resident_memory_bytes', 'Memory of the process.', rss),
      gauge('nodejs_heap_size_used_bytes', 'What is used of the heap.', heapUsed),
      gauge('nodejs_external_memory_bytes', 'Memory of buffers, outside of the heap.', external),
      counter('process_cpu_seconds_total', 'User and system time.', (user + system) / MICROS),
      gauge('process_start_time_seconds', 'When the process started, since the epoch.', this.#started / 1000),
      {
        name: 'faultline_event_loop_delay_seconds',
        type: 'summary',
        help: 'How late the event loop was, since it was asked last.',
        samples: QUANTILES.map((quantile) => ({
          labels: { quantile },
          value: lateness(this.#delay.percentile(Number(quantile) * 100)),
        })),
      },
      gauge('faultline_event_loop_delay_max_seconds', 'The longest delay since it was asked last.', lateness(this.#delay.max)),
    ]
    this.#delay.reset()
    return families
  }
}

/** The histogram holds times between two turns of its timer; zeros when it is fresh. */
function lateness(nanos: number): number {
  return Math.max(0, nanos / NANOS - RESOLUTION_MS / 1000)
}
