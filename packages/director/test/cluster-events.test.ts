// What a node told last, read back from its log after its end.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { unheardIn } from '../src/events/cluster-events.ts'

const folder = mkdtempSync(join(tmpdir(), 'fl-events-'))
afterAll(() => rmSync(folder, { recursive: true }))

const line = (t: number) => `${JSON.stringify({ t, node: 'broker:1', event: 'é'.repeat(100) })}\n`

function logOf(text: string): string {
  const path = join(folder, 'broker-1.log')
  writeFileSync(path, text)
  return path
}

describe('the last words of a node', () => {
  it('are what was written after a place and not heard', () => {
    const before = line(1)
    const log = logOf(before + line(2) + 'Error: out of memory\n' + line(3) + line(4) + '{"t":5,"no')
    expect(unheardIn(log, Buffer.byteLength(before), 1).map((e) => e.t)).toEqual([3, 4])
    expect(unheardIn(join(folder, 'none'), 0, 0)).toEqual([])
  })

  it('are the last of a log of many pieces, each line whole', () => {
    const log = logOf(Array.from({ length: 30_000 }, (_, i) => line(i)).join(''))
    const unheard = unheardIn(log, 0, 1000)
    expect([unheard.length, unheard[0]!.t, unheard.at(-1)!.t]).toEqual([20_000, 10_000, 29_999])
    expect(new Set(unheard.map((e) => e.event))).toEqual(new Set(['é'.repeat(100)]))
    expect(unheardIn(log, 0, 29_998).map((e) => e.t)).toEqual([29_998, 29_999])
  })
})
