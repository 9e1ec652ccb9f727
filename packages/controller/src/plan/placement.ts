// Where the replicas of new partitions go: striped over racks, then over brokers, from a random start (Kafka's StripedReplicaPlacer).
import type { Random } from '@faultline/base'
import type { BrokerState } from '../image/broker-state.ts'

/**
 * One replica list per partition. No broker twice in a list, racks spread as evenly as they allow, unfenced brokers before fenced ones,
 * the first replica unfenced. Undefined when there are fewer brokers than replicas or none is unfenced.
 */
export function placeReplicas(
  brokers: readonly BrokerState[],
  partitions: number,
  replicationFactor: number,
  random: Random,
): number[][] | undefined {
  const usable = brokers.filter((b) => !b.inControlledShutdown)
  const unfenced = usable.filter((b) => !b.fenced)
  if (usable.length < replicationFactor || unfenced.length === 0) return undefined
  const racks = groupByRack(usable).map((rack) => shuffledRack(rack, random))
  const rackStart = random.below(racks.length)
  return Array.from({ length: partitions }, (_, i) =>
    placeOne(racks, rackStart + i, Math.floor(i / racks.length), replicationFactor),
  )
}

interface Rack {
  readonly unfenced: readonly number[]
  readonly fenced: readonly number[]
}

function groupByRack(brokers: readonly BrokerState[]): BrokerState[][] {
  const racks = new Map<string, BrokerState[]>()
  for (const broker of [...brokers].sort((a, b) => a.id - b.id)) {
    const name = broker.rack ?? ''
    racks.set(name, [...(racks.get(name) ?? []), broker])
  }
  return [...racks.keys()].sort().map((name) => racks.get(name)!)
}

function shuffledRack(rack: readonly BrokerState[], random: Random): Rack {
  const rotate = (ids: number[]) => {
    const start = ids.length > 0 ? random.below(ids.length) : 0
    return [...ids.slice(start), ...ids.slice(0, start)]
  }
  return {
    unfenced: rotate(rack.filter((b) => !b.fenced).map((b) => b.id)),
    fenced: rotate(rack.filter((b) => b.fenced).map((b) => b.id)),
  }
}

/** Takes turns over the racks from `rackStart`; within a rack from `turn`, so that leaders and followers both spread. */
function placeOne(racks: readonly Rack[], rackStart: number, turn: number, count: number): number[] {
  const chosen: number[] = []
  const from = (offset: number) => racks[(rackStart + offset) % racks.length]!
  for (const pool of ['unfenced', 'fenced'] as const) {
    for (let round = 0; chosen.length < count; round++) {
      const before = chosen.length
      for (let i = 0; i < racks.length && chosen.length < count; i++) {
        const ids = from(i)[pool]
        if (round < ids.length) chosen.push(ids[(turn + round) % ids.length]!)
      }
      if (chosen.length === before) break
    }
  }
  return chosen
}
