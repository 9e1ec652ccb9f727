// What drives a cluster, and outlives the command that started it: it has the nodes of one world, holds the faults, and serves the control API.
import { type ControlOptions, serveControl } from './api/control-server.ts'
import { ClusterEvents } from './events/cluster-events.ts'
import { FaultBook } from './fault/fault-book.ts'
import type { FaultFile } from './fault/fault-file.ts'
import type { Fleet, FleetContext } from './fleet.ts'

export class Supervisor {
  readonly events = new ClusterEvents()
  readonly fleet: Fleet
  readonly faults: FaultBook
  readonly #release: (wipe: boolean) => void
  #close: () => void = () => {}
  #ending: Promise<void> | undefined

  /** `release`: all nodes have stopped. */
  constructor(world: (context: FleetContext) => Fleet, release: (wipe: boolean) => void, faultFile?: FaultFile) {
    const { events } = this
    this.fleet = world({
      events,
      faultsFor: (name) => this.faults.armedFor(name),
      isHeld: (id) => this.faults.isOpen(id),
    })
    this.faults = new FaultBook(this.fleet, events, faultFile)
    this.#release = release
  }

  /** Resolves with the port of the control API. */
  async start(control: ControlOptions): Promise<number> {
    await this.fleet.prepare()
    await this.faults.restore()
    await this.fleet.startAll()
    this.fleet.links?.watch((event, fields) => this.events.emit(event, fields))
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
