// What drives a cluster, and outlives the command that started it: it has the nodes of one world, holds the faults, and serves the control API.
import { type ControlOptions, serveControl } from './api/control-server.ts'
import { ClusterEvents } from './events/cluster-events.ts'
import { FaultBook } from './fault/fault-book.ts'
import type { Fleet, FleetContext } from './fleet.ts'

export class Supervisor {
  readonly events = new ClusterEvents()
  readonly fleet: Fleet
  readonly faults: FaultBook
  readonly #release: (wipe: boolean) => void
  #close: () => void = () => {}
  #ending: Promise<void> | undefined

  /** `release`: all nodes have stopped. */
  constructor(world: (context: FleetContext) => Fleet, release: (wipe: boolean) => void) {
    const { events } = this
    this.fleet = world({ events, faultsFor: (name) => this.faults.armedFor(name) })
    this.faults = new FaultBook(this.fleet, events)
    this.#release = release
  }

  /** Resolves with the port of the control API. */
  async start(control: ControlOptions): Promise<number> {
    await this.fleet.startAll()
    const { port, close } = await serveControl(this, control)
    this.#close = close
    return port
  }

  down(wipe: boolean): Promise<void> {
    this.#ending ??= this.#end(wipe)
    return this.#ending
  }

  async #end(wipe: boolean): Promise<void> {
    await this.fleet.stopAll()
    this.#close()
    this.#release(wipe)
  }
}
