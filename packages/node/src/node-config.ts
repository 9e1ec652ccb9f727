// What a node process is told when it starts: one JSON file, written by the director.
import { readFileSync } from 'node:fs'
import type { BrokerEndpoint } from '@faultline/controller'
import type { NodeFault } from '@faultline/fault'

export interface NodeConfig {
  readonly role: 'broker' | 'controller'
  readonly id: number
  readonly clusterId: string
  readonly dataDirectory: string
  /** Ids of the quorum's voters. */
  readonly controllers: readonly number[]
  /** The link table: where each plane of each other node is, "host:port" by "id/plane". */
  readonly links: Readonly<Record<string, string>>
  /** Where this node listens. */
  readonly listen: {
    readonly control: string
    readonly replication?: string
    /** Of a broker: a port for each of its listeners. */
    readonly clients?: readonly { readonly listener: string; readonly host: string; readonly port: number }[]
    /** For /metrics and /health. */
    readonly http: { readonly host: string; readonly port: number }
  }
  /** What a broker tells its clients. */
  readonly listeners: readonly BrokerEndpoint[]
  readonly rack: string
  /** Server configurations by Kafka's names. */
  readonly settings: Readonly<Record<string, string>>
  /** Path of the management socket. */
  readonly management: string
  /** End when standard input ends: the supervisor is gone. */
  readonly followsSupervisor: boolean
  /** A JSON file with the faults that are armed before anything else happens. */
  readonly faults: string
}

export function readNodeConfig(path: string): NodeConfig {
  return JSON.parse(readFileSync(path, 'utf8')) as NodeConfig
}

export function readFaults({ faults }: NodeConfig): NodeFault[] {
  return JSON.parse(readFileSync(faults, 'utf8')) as NodeFault[]
}
