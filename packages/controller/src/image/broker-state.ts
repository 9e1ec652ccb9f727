// One broker as the metadata log describes it.

export interface BrokerEndpoint {
  readonly name: string
  readonly host: string
  readonly port: number
}

export interface BrokerState {
  readonly id: number
  /** Offset of the registration record: new with every incarnation. */
  readonly epoch: number
  readonly incarnationId: string
  readonly listeners: readonly BrokerEndpoint[]
  readonly rack: string | null
  readonly logDirs: readonly string[]
  readonly fenced: boolean
  readonly inControlledShutdown: boolean
}

/** Unfenced and not on its way out: may enter an ISR and be elected (KIP-841). */
export function isActive(broker: BrokerState | undefined): boolean {
  return broker !== undefined && !broker.fenced && !broker.inControlledShutdown
}

/** Kafka's BrokerControlState. */
export function controlStateOf({ fenced, inControlledShutdown }: BrokerState): 'FENCED' | 'UNFENCED' | 'CONTROLLED_SHUTDOWN' {
  if (fenced) return 'FENCED'
  return inControlledShutdown ? 'CONTROLLED_SHUTDOWN' : 'UNFENCED'
}
