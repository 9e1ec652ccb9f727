// A running cluster, asked, broken and healed over its control API, wherever that is.
import { Refusal } from '@faultline/base'
import type { ClusterInfo } from './api/control-server.ts'
import { ControlClient } from './control-client.ts'
import type { ClusterEvent } from './events/cluster-events.ts'
import type { FaultView } from './fault/fault-entry.ts'
import type { Kind } from './fault/family.ts'
import type { FaultRequestInput } from './fault/fault-request.ts'
import type { NodeReport, NodeView, ProcessVerb } from './fleet.ts'

const WAIT_MS = 30_000
const POLL_MS = 50

interface PartitionView {
  readonly leader: number
  readonly isr: readonly number[]
}

export interface FaultPoints {
  readonly families: readonly { readonly family: string; readonly kinds: readonly Kind[] }[]
  readonly conditions: readonly { readonly subject: string; readonly key: string; readonly fields: readonly string[] }[]
  /** Points in the code, with where they are. */
  readonly points: Readonly<Record<string, string>>
}

/** A line of a broker's record: one that is begun and not ended yet may be followed by the same with its end. */
export interface EdgeLine {
  readonly node: string
  readonly life: number
  readonly number?: number
  readonly t: number
  readonly mono: number
  readonly [field: string]: unknown
}

export abstract class ClusterControl {
  protected abstract get control(): ControlClient

  /** The one whose control API is at `url`, as in http://localhost:8080. */
  static at(url: string, token: string | null): ClusterControl {
    const advice = 'is that where it listens? A cluster in containers is started with: docker compose -f docker/compose.yaml up'
    return new DistantCluster(new ControlClient(url.replace(/\/+$/, ''), token, advice))
  }

  info(): Promise<ClusterInfo> {
    return this.control.call('GET', '')
  }

  nodes(): Promise<NodeView[]> {
    return this.control.call('GET', '/nodes')
  }

  status(): Promise<NodeReport[]> {
    return this.control.call('GET', '/status')
  }

  act(verb: ProcessVerb, node: string): Promise<NodeView> {
    return this.control.call('POST', `/nodes/${encodeURIComponent(node)}/${verb}`)
  }

  /** The node that `selector` means now: "broker:2", "leader:orders-0", "controller:active". */
  find(selector: string): Promise<NodeView> {
    return this.control.call('GET', `/nodes/${encodeURIComponent(selector)}`)
  }

  addFault(request: FaultRequestInput): Promise<FaultView> {
    return this.control.call('POST', '/faults', request)
  }

  faults(): Promise<FaultView[]> {
    return this.control.call('GET', '/faults')
  }

  heal(id: string): Promise<FaultView> {
    return this.control.call('DELETE', `/faults/${encodeURIComponent(id)}`)
  }

  healAll(): Promise<{ readonly healed: number }> {
    return this.control.call('DELETE', '/faults')
  }

  /** What faults there are, and what conditions can speak of. */
  points(): Promise<FaultPoints> {
    return this.control.call('GET', '/points')
  }

  /** Until the partition's ISR has `size` members. Refuses after `limitMs`. */
  waitForIsr(partition: string, size: number, limitMs = WAIT_MS): Promise<readonly number[]> {
    return waitFor(`${partition} to have ${size} in-sync replicas`, limitMs, async () => {
      const isr = (await this.#partition(partition))?.isr
      return isr?.length === size ? isr : undefined
    })
  }

  /** Until the partition is led, by another broker than `not` if that is given. Resolves with the leader's id. */
  waitForLeader(partition: string, not = -1, limitMs = WAIT_MS): Promise<number> {
    return waitFor(`a leader of ${partition}`, limitMs, async () => {
      const leader = (await this.#partition(partition))?.leader ?? -1
      return leader >= 0 && leader !== not ? leader : undefined
    })
  }

  events(after: number, signal: AbortSignal): AsyncGenerator<ClusterEvent> {
    return this.control.events(after, signal)
  }

  /** Brokers note what clients ask from now on. */
  async record(): Promise<void> {
    await this.control.call('POST', '/edge')
  }

  /** What they have noted, broker by broker. */
  edge(): AsyncGenerator<EdgeLine> {
    return this.control.lines('/edge')
  }

  async down(wipe: boolean): Promise<void> {
    await this.control.call('POST', '/down', { wipe })
  }

  /** As the active controller has it. */
  async #partition(name: string): Promise<PartitionView | undefined> {
    const dash = name.lastIndexOf('-')
    const active = (await this.status()).find((n) => n.report?.state === 'active')
    const topics = (active?.report?.['topics'] ?? []) as { name: string; partitions: PartitionView[] }[]
    return topics.find((t) => t.name === name.slice(0, dash))?.partitions[Number(name.slice(dash + 1))]
  }
}

class DistantCluster extends ClusterControl {
  protected readonly control: ControlClient

  constructor(control: ControlClient) {
    super()
    this.control = control
  }
}

async function waitFor<T>(what: string, limitMs: number, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + limitMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > deadline)
      throw new Refusal('TIMED_OUT', `waited ${limitMs} ms for ${what}`, 'look at the nodes with: npx faultline status')
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
