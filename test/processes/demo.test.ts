// `npm start`, as a program: the verdict, the exit code, the evidence, and nothing left behind.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAlive } from '@faultline/director'
import { expect, it } from 'vitest'

it('the failover experiment passes on real processes and leaves only its evidence', () => {
  const cwd = mkdtempSync(join(tmpdir(), 'faultline-test-'))
  try {
    const run = spawnSync(process.execPath, [join(import.meta.dirname, '../../bin/faultline.mjs'), 'demo', '-o', 'json'], {
      cwd,
      encoding: 'utf8',
      timeout: 90_000,
    })
    expect(run.stderr).toBe('')
    expect(run.status).toBe(0)
    const verdict = JSON.parse(run.stdout) as Record<string, unknown> & { evidence: string }
    expect(verdict).toMatchObject({ outcome: 'pass', lost: 0, duplicated: 0, outOfOrder: 0 })
    expect(verdict.found).toBe(verdict.acknowledged)
    expect(readdirSync(verdict.evidence).sort()).toEqual(['events.jsonl', 'history.jsonl', 'logs', 'verdict.json'])
    const events = readFileSync(join(verdict.evidence, 'events.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; pid?: number })
    const pids = events.flatMap((e) => (e.event === 'node.start' ? [e.pid!] : []))
    expect(pids.length).toBeGreaterThanOrEqual(7)
    expect(pids.filter(isAlive)).toEqual([])
    expect(existsSync(join(cwd, 'runs'))).toBe(true)
  } finally {
    rmSync(cwd, { recursive: true, force: true })
  }
}, 120_000)
