// The clock port on this machine's clocks.
import { performance } from 'node:perf_hooks'
import type { Clock, Timer } from '@faultline/base'

/** The machine's monotonic clock, in milliseconds: of all processes on it these can be compared. */
export function machineMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000
}

export class SystemClock implements Clock {
  wall(): number {
    return Date.now()
  }

  mono(): number {
    return performance.now()
  }

  after(delayMs: number, run: () => void): Timer {
    // setTimeout(0) waits at least a millisecond; what is due now runs after the I/O of this turn.
    if (delayMs <= 0) {
      const immediate = setImmediate(run)
      return { cancel: () => clearImmediate(immediate) }
    }
    const timeout = setTimeout(run, Math.min(delayMs, 0x7fffffff))
    return { cancel: () => clearTimeout(timeout) }
  }
}
