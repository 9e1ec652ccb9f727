// Ports that were chosen are left alone by all others who choose, until whoever has them lets go.
import { afterEach, describe, expect, it } from 'vitest'
import { freePorts, PortMarks } from '../src/ports.ts'

const [ours, theirs] = [new PortMarks(), new PortMarks()]
afterEach(() => {
  ours.release()
  theirs.release()
})

describe('chosen ports', () => {
  it('are marked until they are let go', async () => {
    const ports = await freePorts('127.0.0.1', 5, ours)
    expect(new Set(ports).size).toBe(5)
    expect(await Promise.all(ports.map((port) => theirs.take(port)))).toEqual([false, false, false, false, false])
    ours.release()
    expect(await theirs.take(ports[0]!)).toBe(true)
  })

  it('are taken over when they are let go', async () => {
    const [port] = await freePorts('127.0.0.1', 1, ours)
    await theirs.keep([port!])
    ours.release()
    // Tried again until then: from now on it is theirs.
    await expect.poll(() => ours.take(port!).finally(() => ours.release()), { timeout: 5000, interval: 100 }).toBe(false)
  })
})
