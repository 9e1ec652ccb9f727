// A tally over several processes: everybody's numbers together are 1, 2, 3 and so on, each of them once.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { beginTally, endTally, FileTally } from '../src/tally.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-test-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('counts from 1, anew when it begins anew, and not at all when it has ended', () => {
  const [one, other] = [new FileTally(folder), new FileTally(folder)]
  expect(one.next('f1')).toBeUndefined()
  beginTally(folder, 'f1')
  beginTally(folder, 'f2')
  expect([one.next('f1'), other.next('f1'), other.next('f1'), one.next('f1'), one.next('f2')]).toEqual([1, 2, 3, 4, 1])
  beginTally(folder, 'f1')
  expect([other.next('f1'), one.next('f1')]).toEqual([1, 2])
  expect([one.next('f1', 2), other.next('f1', 3), one.next('f1', 3)]).toEqual([undefined, 3, undefined])
  endTally(folder, 'f1')
  expect([one.next('f1'), other.next('f1'), one.next('f2')]).toEqual([undefined, undefined, 2])
  expect(readdirSync(folder)).toEqual(['f2.tally.2'])
})

it('gives each number to one of several processes', async () => {
  const program = join(folder, 'count.cjs')
  const source = `
    import { FileTally } from ${JSON.stringify(join(import.meta.dirname, '../src/tally.ts'))}
    const tally = new FileTally(process.argv[2])
    const own = []
    for (let n; (n = tally.next('f1')) <= 3000; ) own.push(n)
    console.log(JSON.stringify(own))`
  const stdin = { contents: source, resolveDir: import.meta.dirname, loader: 'ts' } as const
  await build({ stdin, bundle: true, platform: 'node', outfile: program, logLevel: 'error' })
  const counts = join(folder, 'run')
  mkdirSync(counts)
  beginTally(counts, 'f1')
  const run = () =>
    new Promise<number[]>((resolve, reject) => {
      const child = spawn(process.execPath, [program, counts], { stdio: ['ignore', 'pipe', 'inherit'] })
      let text = ''
      child.stdout.on('data', (data: Buffer) => (text += data.toString()))
      child.once('error', reject)
      child.once('close', () => resolve(JSON.parse(text) as number[]))
    })
  const all = await Promise.all([run(), run(), run()])
  expect(all.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 3000 }, (_, i) => i + 1))
})
