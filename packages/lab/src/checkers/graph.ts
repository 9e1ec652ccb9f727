// Cycles in a directed graph: its strongly connected components (Tarjan), without recursion, as histories are long.

export class Graph {
  readonly #edges = new Map<string, Set<string>>()

  add(from: string, to: string): void {
    if (from === to) return
    const there = this.#edges.get(from)
    if (there) there.add(to)
    else this.#edges.set(from, new Set([to]))
    if (!this.#edges.has(to)) this.#edges.set(to, new Set())
  }

  get size(): number {
    return this.#edges.size
  }

  /** Each a set of nodes that can all reach each other, of two at least. */
  cycles(): string[][] {
    const found: string[][] = []
    const index = new Map<string, number>()
    const low = new Map<string, number>()
    const stack: string[] = []
    const onStack = new Set<string>()
    const visit = (node: string) => {
      index.set(node, index.size)
      low.set(node, index.get(node)!)
      stack.push(node)
      onStack.add(node)
      return { node, edges: this.#edges.get(node)!.values() }
    }
    const lower = (node: string, to: number) => low.set(node, Math.min(low.get(node)!, to))
    for (const root of this.#edges.keys()) {
      if (index.has(root)) continue
      const path = [visit(root)]
      while (path.length > 0) {
        const { node, edges } = path.at(-1)!
        const { value: to, done } = edges.next()
        if (!done) {
          if (!index.has(to)) path.push(visit(to))
          else if (onStack.has(to)) lower(node, index.get(to)!)
          continue
        }
        path.pop()
        if (path.length > 0) lower(path.at(-1)!.node, low.get(node)!)
        if (low.get(node) !== index.get(node)) continue
        const component = stack.splice(stack.lastIndexOf(node))
        for (const member of component) onStack.delete(member)
        if (component.length > 1) found.push(component)
      }
    }
    return found
  }
}
