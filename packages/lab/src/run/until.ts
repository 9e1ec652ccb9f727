// Waiting: for a time, or for something to come true.

const POLL_MS = 50

export async function pause(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
}

/** When it came true; undefined when it did not within the limit. */
export async function until(limitMs: number, look: () => Promise<boolean>): Promise<number | undefined> {
  const deadline = Date.now() + limitMs
  for (;;) {
    if (await look()) return Date.now()
    if (Date.now() > deadline) return undefined
    await pause(POLL_MS)
  }
}
