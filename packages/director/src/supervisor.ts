// The process that outlives the command that started it: it runs the nodes, holds the faults, and serves the control API.
import type { ClusterFolder } from './cluster-folder.ts'
import { serveControl } from './api/control-server.ts'
import { ClusterEvents } from './events/cluster-events.ts'
import { FaultBook } from './fault/fault-book.ts'
import { Fleet } from './fleet.ts'

export class Supervisor {
  readonly events = new ClusterEvents()
  readonly fleet: Fleet
  readonly faults: FaultBook
  readonly #folder: ClusterFolder
  readonly #detached: boolean
  #close: () => void = () => {}
  #ending: Promise<void> | undefined

  constructor(folder: ClusterFolder, program: string, detached: boolean) {
    this.#folder = folder
    this.#detached = detached
    const { events } = this
    this.fleet = new Fleet({ folder, program, detached, events, faultsFor: (name) => this.faults.armedFor(name) })
    this.faults = new FaultBook(this.fleet, events)
  }

  /** `onDown`: the cluster was told to stop, and has. */
  async start(onDown: () => void): Promise<void> {
    await this.fleet.startAll()
    const { api } = this.fleet.description
    const served = await serveControl(this, { host: api.host, port: api.port, token: api.token, onDown })
    this.#close = served.close
    this.#folder.claim({
      pid: process.pid,
      api: `http://${api.host === '0.0.0.0' ? '127.0.0.1' : api.host}:${served.port}`,
      detached: this.#detached,
    })
  }

  down(wipe: boolean): Promise<void> {
    this.#ending ??= this.#end(wipe)
    return this.#ending
  }

  async #end(wipe: boolean): Promise<void> {
    await this.fleet.stopAll()
    this.#close()
    this.#folder.release()
    if (wipe) this.#folder.wipe()
  }
}
