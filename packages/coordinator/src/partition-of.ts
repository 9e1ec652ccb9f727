// Which partition of an internal topic a group or a transactional id belongs to. Every client and every broker must come to the same one.

/** Java's String.hashCode: over UTF-16 units, in 32 bits. */
export function javaHash(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0
  return hash
}

export function partitionOf(key: string, partitions: number): number {
  const hash = javaHash(key)
  // The smallest int32 has no absolute value in Java; Kafka takes 0 for it.
  return (hash === -0x80000000 ? 0 : Math.abs(hash)) % partitions
}
