// What clients did and saw, and nothing else: each send with its outcome, each record that was read. Times are wall clock milliseconds of
// the machine that ran the workload.

/** `info`: nobody knows whether it took effect. */
export type Outcome = 'ok' | 'fail' | 'info'

export interface Send {
  readonly op: 'send'
  readonly process: string
  readonly topic: string
  readonly partition: number
  /** In the order in which the process sent to this partition, from 0; with process and partition it is the record's identity. */
  readonly sequence: number
  readonly began: number
  ended: number | null
  outcome: Outcome
  error: string | null
}

export interface Read {
  readonly op: 'read'
  readonly process: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Empty where it has none. */
  readonly key: string
  /** The record's identity: `identityOf` its send. */
  readonly value: string
  readonly at: number
}

export type Operation = Send | Read

export function identityOf({ process, partition, sequence }: Pick<Send, 'process' | 'partition' | 'sequence'>): string {
  return `${process}/${partition}/${sequence}`
}

export function readIdentity(value: string): { process: string; partition: number; sequence: number } | undefined {
  const [process, partition, sequence, ...rest] = value.split('/')
  if (process === undefined || partition === undefined || sequence === undefined || rest.length > 0) return undefined
  return { process, partition: Number(partition), sequence: Number(sequence) }
}

export class History {
  readonly sends: Send[] = []
  /** By consumers while the run went on. */
  readonly reads: Read[] = []
  /** Everything that is there at the end, read from the beginning. */
  readonly final: Read[] = []

  begin(process: string, topic: string, partition: number, sequence: number, now: number): Send {
    const send: Send = {
      op: 'send',
      process,
      topic,
      partition,
      sequence,
      began: now,
      ended: null,
      outcome: 'info',
      error: null,
    }
    this.sends.push(send)
    return send
  }

  get acknowledged(): Send[] {
    return this.sends.filter((s) => s.outcome === 'ok')
  }
}
