// What a request is about: its topics and partitions, groups, transactional ids. Faults choose requests, and parts of them, by it.
import { type Api, type Message, namesIn, type TopicParts, topicParts } from '@faultline/protocol'
import type { Selector } from '@faultline/fault'

/** One partition of a request, or one topic where it names no partitions. */
export interface Part {
  readonly topic: string
  readonly topicId: string | undefined
  readonly partition: number | undefined
}

type Element = Record<string, unknown>
export type Decoded = Record<string, unknown>

const GROUPS = /^group(Id|s|Ids|sNames)?$/
const TRANSACTIONAL_IDS = /transactionalIds?$/i

export class RequestSubject {
  readonly parts: readonly Part[]
  readonly groups: readonly string[]
  readonly transactionalIds: readonly string[]
  readonly #request: Decoded
  readonly #lists: readonly TopicParts[]

  constructor(api: Api, request: Decoded, nameOf: (topicId: string) => string | undefined) {
    const { fields } = api.request as Message
    this.#request = request
    this.#lists = topicParts(fields)
    this.parts = this.#lists.flatMap((list) => elements(request, list.list).flatMap((element) => partsOf(element, list, nameOf)))
    this.groups = namesIn(fields, GROUPS).flatMap((read) => read(request))
    this.transactionalIds = namesIn(fields, TRANSACTIONAL_IDS).flatMap((read) => read(request))
  }

  matches({ topic, partition, group, transactionalId }: Selector): boolean {
    if (group !== undefined && !this.groups.includes(group)) return false
    if (transactionalId !== undefined && !this.transactionalIds.includes(transactionalId)) return false
    if (topic === undefined && partition === undefined) return true
    return this.#asksForAll || this.matching({ topic, partition } as Selector).length > 0
  }

  /** A list that is null stands for everything that there is. */
  get #asksForAll(): boolean {
    return this.#lists.some(({ list }) => this.#request[list] === null)
  }

  /** A topic that is named without partitions is named with all of them. */
  matching({ topic, partition }: Selector): Part[] {
    const isIn = (p: Part) => partition === undefined || p.partition === undefined || p.partition === partition
    return this.parts.filter((p) => (topic === undefined || p.topic === topic) && isIn(p))
  }

  /** The request without `removed`; undefined when nothing of it would be left. */
  without(removed: readonly Part[]): Decoded | undefined {
    if (removed.length === this.parts.length) return undefined
    const isRemoved = (name: unknown, id: unknown, partition?: number) =>
      removed.some((r) => isTopic(r, name, id) && (r.partition === undefined || r.partition === partition))
    const rest = { ...this.#request }
    for (const list of this.#lists) {
      rest[list.list] = elements(this.#request, list.list).flatMap((element) => {
        const [name, id] = [list.name && element[list.name], list.id && element[list.id]]
        const inner = list.partitions && (element[list.partitions] as (number | Element)[])
        if (!inner || inner.length === 0) return isRemoved(name, id) ? [] : [element]
        const kept = inner.filter((p) => !isRemoved(name, id, indexOf(p, list)))
        return kept.length > 0 ? [{ ...element, [list.partitions!]: kept }] : []
      })
    }
    return rest
  }
}

function elements(request: Decoded, list: string): Element[] {
  return (request[list] ?? []) as Element[]
}

function partsOf(element: Element, list: TopicParts, nameOf: (topicId: string) => string | undefined): Part[] {
  const topicId = list.id && (element[list.id] as string)
  const named = list.name && (element[list.name] as string | null)
  const topic = named || (topicId && nameOf(topicId)) || ''
  const inner = list.partitions ? (element[list.partitions] as (number | Element)[]) : []
  if (inner.length === 0) return [{ topic, topicId, partition: undefined }]
  return inner.map((p) => ({ topic, topicId, partition: indexOf(p, list) }))
}

function indexOf(partition: number | Element, list: TopicParts): number {
  return typeof partition === 'number' ? partition : (partition[list.index!] as number)
}

/** By the id where there is one: newer versions leave the name empty. */
export function isTopic(part: Part, name: unknown, id: unknown): boolean {
  return name ? part.topic === name : id !== undefined && part.topicId === id
}
