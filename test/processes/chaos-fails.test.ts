// Every checker and every expectation has a run that it fails: a whole one, on real processes, through the command line. What a correct cluster cannot be
// made to do is done by one with planted mistakes.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CHECKERS, EXPECTATIONS } from '@faultline/lab'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { plant, PLANTED } from '../support/planted.ts'

const DIST = join(import.meta.dirname, '../../dist')
const FAILS = join(import.meta.dirname, 'fails')

/** Which run each of them fails, by its file in fails/. */
const FAILED_BY: Readonly<Record<string, readonly string[]>> = {
  forged: [
    ...['invented', 'duplicated', 'reordered', 'commitBack', 'unreadCommit', 'ackP99', 'exactlyOnce', 'atLeastOnce', 'finishes'],
  ],
  unclean: [
    ...['lost', 'vanished', 'contradictory', 'nonmonotonicSend', 'highWatermarkBack', 'torn', 'unbalanced'],
    ...['unavailability', 'isrFull'],
  ],
  lies: ['leaderEpochBack', 'twoLeaders', 'disagreeing', 'nonmonotonicPoll', 'readAgain', 'rebalances'],
  uncommitted: ['abortedRead', 'dirtyRead', 'unseen', 'writeCycles', 'circularFlow'],
  planted: ['twoOwners', 'fencedCommit', 'pollSkip', 'tornOffsets', 'divergent', 'lag', 'progress'],
}

let folder: string
let planted: Awaited<ReturnType<typeof plant>>

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fails-'))
  planted = await plant(Object.keys(PLANTED))
})
afterAll(() => {
  planted.remove()
  rmSync(folder, { recursive: true, force: true })
})

interface Verdict {
  readonly outcome: string
  readonly expectations: readonly { readonly expectation: string; readonly status: string; readonly found: string }[]
}

function run(name: string, program: string): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const args = [join(program, 'cli.cjs'), 'chaos', 'run', join(FAILS, `${name}.yaml`), '-o', 'json']
    const child = spawn(process.execPath, args, { cwd: folder })
    let [out, err] = ['', '']
    child.stdout.on('data', (text) => (out += text))
    child.stderr.on('data', (text) => (err += text))
    child.on('close', () => (out ? resolve(JSON.parse(out)) : reject(new Error(err))))
  })
}

describe('a run that it fails', () => {
  it('is there for every checker and every expectation', () => {
    const all = [...CHECKERS.map((c) => c.anomaly), ...EXPECTATIONS.map((e) => e.expectation)]
    expect(Object.values(FAILED_BY).flat().sort()).toEqual(all.sort())
  })

  it.each(Object.entries(FAILED_BY))('%s', { timeout: 180_000 }, async (name, expected) => {
    const { outcome, expectations } = await run(name, name === 'planted' ? planted.program : DIST)
    const broken = expectations.filter((e) => e.status === 'broken').map((e) => e.expectation)
    const others = expectations.filter((e) => !broken.includes(e.expectation)).map((e) => `${e.expectation} ${e.found}`)
    expect([outcome, others, broken.sort()]).toEqual(['fail', [], [...expected].sort()])
  })
})
