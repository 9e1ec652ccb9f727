// Members of groups, as the edge has them: a hold lasts from the answer that gave a partition to a member to the last request for which the
// coordinator still took it for one. What a member that hears nothing believes of itself is not known.
import { type EdgePartition, type EdgeRequest, endOf, sameIn, wasHeard } from './edge-request.ts'
import type { History, Hold } from './history.ts'

export class EdgeGroups {
  readonly #history: History
  /** Of each member that there has been, by its id. */
  readonly #holds = new Map<string, Hold[]>()
  /** Groups of the protocol of KIP-848: a member's epoch may be behind the group's, and its commits are taken. */
  readonly #withEpochs = new Set<string>()

  constructor(history: History) {
    this.#history = history
  }

  add(request: EdgeRequest): void {
    const { group, member } = request.request ?? {}
    if (group === undefined) return
    switch (request.api) {
      case 'JoinGroup':
        // A member that joins anew may have given up what it had.
        return void this.#holds.delete(member!)
      case 'LeaveGroup':
        for (const one of request.request!.members ?? []) this.#holds.delete(one)
        return
      case 'SyncGroup':
        if (isDone(request)) this.#assign(request, request.request!.generation!, request.answer!.partitions ?? [])
        return
      case 'Heartbeat':
        if (isDone(request)) this.#confirm(member!, request.t)
        return
      case 'OffsetCommit':
        return this.#commit(request)
      case 'ConsumerGroupHeartbeat':
        return this.#heartbeat(request)
      default:
    }
  }

  #heartbeat(request: EdgeRequest): void {
    const { group, member, partitions } = request.request!
    this.#withEpochs.add(group!)
    // It says what it has: it has let go of the rest.
    if (partitions) this.#keep(member!, partitions)
    if (!isDone(request)) return
    this.#confirm(member!, request.t)
    const { epoch = 0, partitions: given } = request.answer!
    if (epoch <= 0) return void this.#holds.delete(member!)
    const had = this.#holds.get(member!) ?? []
    if (given)
      this.#assign(
        request,
        epoch,
        given.filter((p) => !had.some((h) => h.topic === p.topic && h.partition === p.partition)),
      )
  }

  #assign(request: EdgeRequest, generation: number, partitions: readonly EdgePartition[]): void {
    const { group, member } = request.request!
    const began = endOf(request)
    const made = partitions.map(({ topic, partition }) =>
      Object.assign(this.#history.hold(`${request.who} ${member}`, group!, topic, partition, null, began), {
        generation,
        ended: began,
      }),
    )
    this.#holds.set(member!, [...(this.#holds.get(member!) ?? []), ...made])
  }

  #confirm(member: string, at: number): void {
    for (const hold of this.#holds.get(member) ?? []) hold.ended = Math.max(hold.ended!, at)
  }

  #keep(member: string, partitions: readonly EdgePartition[]): void {
    const kept = (this.#holds.get(member) ?? []).filter((h) => sameIn(partitions, h) !== undefined)
    this.#holds.set(member, kept)
  }

  #commit(request: EdgeRequest): void {
    if (!wasHeard(request)) return
    const { group, member, generation, partitions = [] } = request.request!
    const taken = partitions.filter((p) => sameIn(request.answer!.partitions, p)?.error === undefined)
    if (taken.length === 0) return
    this.#confirm(member!, request.t)
    const isOfGeneration = generation !== undefined && generation >= 0 && !this.#withEpochs.has(group!)
    this.#history.commits.push({
      op: 'commit',
      process: `${request.who} ${member}`,
      group: group!,
      generation: isOfGeneration ? generation : null,
      began: request.t,
      ended: endOf(request),
      positions: taken.map(({ topic, partition, offset }) => ({ topic, partition, offset: offset! })),
    })
  }
}

function isDone(request: EdgeRequest): boolean {
  return wasHeard(request) && request.answer!.error === undefined
}
