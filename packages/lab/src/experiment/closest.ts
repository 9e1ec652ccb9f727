// Which word was probably meant.

/** The one with the fewest edits, if they are few enough to be a slip. */
export function closest(word: string, words: readonly string[]): string | undefined {
  const ranked = words.map((w) => ({ w, edits: edits(word.toLowerCase(), w.toLowerCase()) })).sort((a, b) => a.edits - b.edits)
  const [best] = ranked
  return best && best.edits <= Math.max(1, Math.floor(word.length / 3)) ? best.w : undefined
}

/** Levenshtein's distance. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + same))
    }
    row = next
  }
  return row[b.length]!
}
