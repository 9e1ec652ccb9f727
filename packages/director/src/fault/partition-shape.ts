// Shapes of network partitions, as pairs (from, to) of which nothing arrives.

type Pair = readonly [from: string, to: string]

export const SHAPES: Readonly<Record<string, (names: readonly string[]) => Pair[]>> = {
  /** The first one sees nobody. */
  isolate: (names) => both(names.slice(0, 1), names.slice(1)),
  /** Two groups; the larger one has the odd node. */
  halves: (names) => both(names.slice(0, names.length >> 1), names.slice(names.length >> 1)),
  /** Two groups that do not see each other, and one node between them that sees both. */
  bridge: ([, ...others]) => both(others.slice(0, others.length >> 1), others.slice(others.length >> 1)),
  /** Everybody sees a majority, and no two see the same: each is cut off from those across the ring. */
  ring,
}

export function cutPairs(shape: string, names: readonly string[]): Pair[] {
  return SHAPES[shape]!(names)
}

function both(a: readonly string[], b: readonly string[]): Pair[] {
  return a.flatMap((x) =>
    b.flatMap((y): Pair[] => [
      [x, y],
      [y, x],
    ]),
  )
}

function ring(names: readonly string[]): Pair[] {
  const count = names.length
  // As many neighbours on either side as a majority needs, with itself.
  const reach = Math.ceil(((count >> 1) + 1 - 1) / 2)
  const distance = (i: number, j: number) => Math.min((i - j + count) % count, (j - i + count) % count)
  const pairs = names.flatMap((from, i) =>
    names.flatMap((to, j): Pair[] => (i !== j && distance(i, j) > reach ? [[from, to]] : [])),
  )
  // Three in a ring are all neighbours: each hears one of the others only.
  return pairs.length > 0 ? pairs : names.map((from, i): Pair => [from, names[(i + 1) % count]!])
}
