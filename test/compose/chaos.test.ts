// Experiments in containers, as a person runs them: from the command line, with an exit code that means something, and nothing left afterwards.
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { ROOT } from './machine.ts'

const run = promisify(execFile)

const CLI = join(ROOT, 'bin/faultline.mjs')
const lacks = inject('lacks')

describe.skipIf(lacks !== '')(`faultline chaos --world compose${lacks ? ` (${lacks})` : ''}`, () => {
  let folder: string
  const pids: number[] = []
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'chaos-compose-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** The name of a run's project ends with its process. */
  afterEach(async () => {
    const lists = [
      ['ps', '-a', '--format', '{{.Names}}'],
      ['network', 'ls', '--format', '{{.Name}}'],
      ['volume', 'ls', '--format', '{{.Name}}'],
    ].map((list) => run('docker', list))
    const names = (await Promise.all(lists)).flatMap(({ stdout }) => stdout.split('\n'))
    const ours = pids.map((pid) => new RegExp(`^faultline-.*-${pid}[-_]`))
    expect(names.filter((name) => ours.some((mark) => mark.test(name)))).toEqual([])
  })

  function chaos(args: readonly string[], onText: (text: string, pid: number) => void = () => {}) {
    return new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
      const env = { ...process.env, FAULTLINE_IMAGE: inject('image') }
      const child = spawn(process.execPath, [CLI, 'chaos', 'run', ...args, '--world', 'compose'], { cwd: folder, env })
      pids.push(child.pid!)
      let [out, err] = ['', '']
      child.stdout.on('data', (text) => {
        out += text
        onText(out, child.pid!)
      })
      child.stderr.on('data', (text) => (err += text))
      child.on('close', (code) => resolve({ code, out, err }))
    })
  }

  it('kills the leader, and leaves its evidence with the logs of containers', async () => {
    const { code, out, err } = await chaos(['leader-kill', '-o', 'json'])
    expect([code, err]).toEqual([0, ''])
    const { outcome, folder: evidence } = JSON.parse(out) as { outcome: string; folder: string }
    expect(outcome).toBe('pass')
    const nodes = ['broker-1', 'broker-2', 'broker-3', 'controller-101', 'controller-102', 'controller-103']
    expect(readdirSync(join(evidence, 'logs')).sort()).toEqual(nodes.map((name) => `${name}.log`))
    expect(readFileSync(join(evidence, 'events.jsonl'), 'utf8')).toMatch(
      /"event":"process.exit","name":"broker:\d","how":"SIGKILL"/,
    )
  })

  it('judges a program of this machine by what brokers in containers have noted', async () => {
    const { code, out, err } = await chaos(['app-in-transactions', '-o', 'json'])
    expect([code, err]).toEqual([0, ''])
    const { folder: evidence } = JSON.parse(out) as { folder: string }
    expect(readFileSync(join(evidence, 'edge.jsonl'), 'utf8')).toMatch(/"api":"EndTxn"/)
  })

  it('leaves nothing after Ctrl-C', async () => {
    let isInterrupted = false
    const { code, out } = await chaos(['leader-kill'], (text, pid) => {
      if (isInterrupted || !text.includes('load: ')) return
      isInterrupted = true
      process.kill(pid, 'SIGINT')
    })
    expect([code, isInterrupted]).toEqual([130, true])
    expect(out).toMatch(/stopping/)
  })

  it('says what cannot be done to containers before one is started', async () => {
    const { code, err } = await chaos(['broker-wipe'])
    expect([code, err]).toEqual([
      3,
      expect.stringMatching(/^BAD_FAULT: the data of broker:2 is on a volume.*\n  run it with --world local/),
    ])
  })
})
