// The links of a cluster: who dials whom, on which plane. Each has a proxy of its own, so that any pair can be slowed or cut.

export const LINK_PLANES = ['client', 'control', 'replication'] as const
export type LinkPlane = (typeof LINK_PLANES)[number]

/** Clients dial too; they are all one. */
export const CLIENTS = 'clients'

export interface Link {
  /** "broker-2.broker-1.replication": also the name of its proxy, so it must be at home in a URL. */
  readonly name: string
  /** Who dials. */
  readonly source: string
  readonly target: string
  readonly plane: LinkPlane
}

/** A direction of a link: upstream is what the dialler sends. */
export interface Flow {
  readonly link: Link
  readonly stream: 'upstream' | 'downstream'
}

export function linkOf(source: string, target: string, plane: LinkPlane): Link {
  const plain = (name: string) => name.replace(':', '-')
  return { name: `${plain(source)}.${plain(target)}.${plane}`, source, target, plane }
}

/** Every link that nodes of these names have: all ask controllers, brokers ask each other, followers pull, clients come. */
export function allLinks(names: readonly string[]): Link[] {
  const links = names.filter((n) => n.startsWith('broker:')).map((broker) => linkOf(CLIENTS, broker, 'client'))
  for (const source of names) {
    for (const target of names) {
      if (source === target) continue
      const [from, to] = [source.split(':')[0], target.split(':')[0]]
      if (to === 'controller' || from === to) links.push(linkOf(source, target, 'control'))
      if (from === 'broker' && to === 'broker') links.push(linkOf(source, target, 'replication'))
    }
  }
  return links
}

export interface FlowChoice {
  /** Names of nodes, or "clients". */
  readonly from: ReadonlySet<string>
  readonly to: ReadonlySet<string>
  readonly planes: readonly LinkPlane[]
}

/** What `from` sends to `to`: upstream where it dialled, downstream where it was dialled. */
export function flows(links: readonly Link[], { from, to, planes }: FlowChoice): Flow[] {
  return links
    .filter((link) => planes.includes(link.plane))
    .flatMap((link): Flow[] => [
      ...(from.has(link.source) && to.has(link.target) ? [{ link, stream: 'upstream' } as const] : []),
      ...(from.has(link.target) && to.has(link.source) ? [{ link, stream: 'downstream' } as const] : []),
    ])
}
