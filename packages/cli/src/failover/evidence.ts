// The evidence of a run: what was sent and read, what the nodes did and wrote, and the verdict.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ClusterFolder } from '@faultline/director'
import type { History } from './history.ts'
import type { Timeline } from './timeline.ts'
import type { Verdict } from './verdict.ts'

export function newEvidenceFolder(): string {
  const stamp = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15)
  const path = resolve('runs', `failover-${stamp}-${process.pid}`)
  mkdirSync(path, { recursive: true })
  return path
}

export function writeEvidence(path: string, folder: ClusterFolder, history: History, timeline: Timeline, verdict: Verdict): void {
  const lines = (values: readonly unknown[]) => values.map((v) => `${JSON.stringify(v)}\n`).join('')
  writeFileSync(join(path, 'verdict.json'), `${JSON.stringify(verdict, null, 2)}\n`)
  writeFileSync(
    join(path, 'history.jsonl'),
    lines([...history.sent.map((s) => ({ op: 'send', ...s })), ...history.reads.map((r) => ({ op: 'read', ...r }))]),
  )
  writeFileSync(join(path, 'events.jsonl'), lines([...timeline.events].sort((a, b) => a.t - b.t)))
  cpSync(join(folder.path, 'logs'), join(path, 'logs'), { recursive: true })
}
