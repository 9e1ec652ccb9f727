// Elections that nobody asks for, from time to time while this controller is active: preferred leaders that are back, and partitions without
// a leader whose topics have come to allow an unclean one.
import type { Clock, Timer } from '@faultline/base'
import type { StaticConfigs } from './config/effective-configs.ts'
import { serverFlag, serverNumber } from './config/server-config.ts'

/** Elections in one pass, as in Kafka; where there are more, the next pass comes at once. */
const MAX_ELECTIONS = 1000
const NEXT_PASS_MS = 10

interface Task {
  readonly intervalMs: number
  /** How many partitions change. */
  readonly elect: (limit: number) => number
}

export class PeriodicElections {
  readonly #clock: Clock
  readonly #tasks: readonly Task[]
  readonly #timers = new Map<Task, Timer>()

  constructor(clock: Clock, statics: StaticConfigs, electPreferred: Task['elect'], electUnclean: Task['elect']) {
    this.#clock = clock
    const preferredMs = serverNumber(statics, 'leader.imbalance.check.interval.seconds') * 1000
    const preferred = serverFlag(statics, 'auto.leader.rebalance.enable')
    const uncleanMs = serverNumber(statics, 'unclean.leader.election.interval.ms')
    this.#tasks = [
      ...(preferred ? [{ intervalMs: preferredMs, elect: electPreferred }] : []),
      { intervalMs: uncleanMs, elect: electUnclean },
    ]
  }

  start(): void {
    for (const task of this.#tasks) this.#schedule(task, task.intervalMs)
  }

  stop(): void {
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
  }

  #schedule(task: Task, delay: number): void {
    this.#timers.get(task)?.cancel()
    const run = () => this.#schedule(task, task.elect(MAX_ELECTIONS) < MAX_ELECTIONS ? task.intervalMs : NEXT_PASS_MS)
    this.#timers.set(task, this.#clock.after(delay, run))
  }
}
