// The command line, as a person and as a program use it.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAlive } from '@faultline/director'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kafkaFor, until, withAdmin } from '../support/cluster.ts'

const PROGRAM = join(import.meta.dirname, '../../bin/faultline.mjs')
const home = mkdtempSync(join(tmpdir(), 'faultline-test-'))

function faultline(args: string, input = ''): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, XDG_STATE_HOME: join(home, 'state') }
  return spawnSync(process.execPath, [PROGRAM, ...args.split(' ')], { encoding: 'utf8', input, env, timeout: 40_000 })
}

function json<T>(args: string): T {
  const { status, stdout, stderr } = faultline(`${args} -o json`)
  expect(stderr).toBe('')
  expect(status).toBe(0)
  return JSON.parse(stdout) as T
}

describe('faultline', () => {
  let pids: number[] = []
  let ports: number[] = []

  beforeAll(() => {
    const up = json<{ bootstrap: string; nodes: { id: number; role: string; pid: number; port: number }[] }>(
      `up --dir ${home}/cluster --port 0 --fast --detach`,
    )
    expect(up.bootstrap).toMatch(/^127\.0\.0\.1:\d+,127\.0\.0\.1:\d+,127\.0\.0\.1:\d+$/)
    expect(up.nodes.map((n) => `${n.role}:${n.id}`)).toEqual([
      'controller:101',
      'controller:102',
      'controller:103',
      'broker:1',
      'broker:2',
      'broker:3',
    ])
    pids = up.nodes.map((n) => n.pid)
    ports = up.nodes.filter((n) => n.role === 'broker').map((n) => n.port)
    expect(pids.every(isAlive)).toBe(true)
  })
  afterAll(() => {
    faultline(`down --dir ${home}/cluster --wipe`)
    rmSync(home, { recursive: true, force: true })
  })

  it('remembers the cluster that was started last', () => {
    const { stdout, status } = faultline('nodes')
    expect(status).toBe(0)
    expect(stdout).toMatch(/NODE +ROLE +PID +PORT +HTTP +STATE/)
    expect(stdout).toContain(String(pids[0]))
    const httpPorts = json<{ httpPort: number }[]>('nodes').map((n) => n.httpPort)
    expect(new Set(httpPorts).size).toBe(6)
  })

  it('finds a cluster elsewhere by its control API', () => {
    const { api } = JSON.parse(readFileSync(join(home, 'cluster/supervisor.json'), 'utf8')) as { api: string }
    const elsewhere = `--dir ${home}/nowhere --at`
    expect(json<object[]>(`nodes ${elsewhere} ${api}`)).toHaveLength(6)
    expect(faultline(`topics ${elsewhere} ${api}/`).status).toBe(0)
    const { status, stderr } = faultline(`nodes ${elsewhere} http://127.0.0.1:1`)
    expect({ status, stderr }).toMatchObject({ status: 2, stderr: expect.stringContaining('cannot be reached') })
    const [{ httpPort }] = json<[{ httpPort: number }]>('nodes')
    expect(faultline(`nodes ${elsewhere} http://127.0.0.1:${httpPort}`).stderr).toContain('is no control API of Faultline')
    expect(faultline(`logs broker:1 ${elsewhere} ${api}`).stderr).toContain('with --dir FOLDER')
  })

  it('creates, lists, describes and deletes topics', () => {
    expect(faultline('topics create orders --partitions 2 --rf 3 --config min.insync.replicas=2')).toMatchObject({ status: 0 })
    expect(json('topics')).toEqual([{ name: 'orders', partitions: 2, replicationFactor: 3 }])
    expect(json<{ configs: object }>('topics describe orders').configs).toEqual({ 'min.insync.replicas': '2' })
    const again = faultline('topics create orders')
    expect(again).toMatchObject({ status: 2, stderr: expect.stringContaining('TOPIC_ALREADY_EXISTS') })
    expect(faultline('topics create gone').status).toBe(0)
    expect(faultline('topics delete gone')).toMatchObject({ status: 0, stdout: 'deleted gone\n' })
  })

  it('produces lines and consumes them', () => {
    expect(faultline('produce orders --keys', 'a:1\nb:2\nc:3\n').stdout).toContain('3 records acknowledged')
    const { stdout } = faultline('consume orders --from-beginning --max 3 -o json')
    const records = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { key: string; value: string })
    expect(records.map((r) => `${r.key}:${r.value}`).sort()).toEqual(['a:1', 'b:2', 'c:3'])
  })

  it('kills, shows and restarts the leader of a partition', () => {
    const killed = json<{ name: string; state: string }>('kill leader:orders-0')
    expect(killed.state).toBe('stopped (SIGKILL)')
    expect(faultline('nodes').stdout).toContain('stopped (SIGKILL)')
    expect(faultline(`kill ${killed.name}`)).toMatchObject({ status: 2, stderr: expect.stringContaining('restart') })
    expect(faultline(`restart ${killed.name}`).status).toBe(0)
    expect(faultline(`logs ${killed.name}`).stdout).toContain('"event":"node.start"')
    expect(faultline('logs controller:active -n 100000').stdout).toContain('controller.active')
  })

  it('shows transactional ids', () => {
    expect(json('txns')).toMatchObject({ transactions: [] })
    expect(faultline('txn processor-1')).toMatchObject({ status: 2, stderr: expect.stringContaining('no transactional id') })
  })

  it('shows a group and its lag, and kills and restarts its coordinator', async () => {
    const kafka = kafkaFor(ports.map((port) => `127.0.0.1:${port}`).join(','))
    await withAdmin(kafka, (admin) =>
      admin.setOffsets({ groupId: 'exporter', topic: 'orders', partitions: [{ partition: 0, offset: '0' }] }),
    )
    const { groups } = json<{ groups: { groupId: string }[] }>('groups')
    const [exporter] = groups.filter((g) => g.groupId === 'exporter')
    expect(exporter).toMatchObject({ type: 'classic', state: 'Empty', members: 0 })
    expect(faultline('groups').stdout).toMatch(/GROUP +TYPE +PROTOCOL +STATE +COORDINATOR +MEMBERS +LAG/)
    expect(json('group exporter')).toMatchObject({ positions: [{ topic: 'orders', partition: 0, committed: 0, owner: null }] })
    expect(faultline('group exporter').stdout).toMatch(/PARTITION +COMMITTED +END +LAG +OWNER\norders-0 +0 +\d/)
    expect(faultline('group importer')).toMatchObject({ status: 2, stderr: expect.stringMatching(/there are: .*exporter/) })
    const killed = json<{ name: string }>('kill coordinator:group:exporter')
    await until('another coordinator', async () => {
      const now = json<{ groups: { groupId: string; coordinator: number }[] }>('groups').groups.find(
        (g) => g.groupId === 'exporter',
      )
      return now !== undefined && `broker:${now.coordinator}` !== killed.name
    })
    expect(faultline(`restart ${killed.name}`).status).toBe(0)
  })

  it('shows partitions with leaders, ISRs and offsets', () => {
    const { stdout } = faultline('status')
    expect(stdout).toMatch(/PARTITION +LEADER +EPOCH +REPLICAS +ISR +HW +LEO/)
    expect(stdout).toMatch(/orders-1 +\d/)
  })

  it('answers mistakes with what to do, and exit code 2 or 1', () => {
    expect(faultline('kill broker:9')).toMatchObject({ status: 2, stderr: expect.stringContaining('use one of') })
    expect(faultline('topics paint orders')).toMatchObject({ status: 2, stderr: expect.stringContaining('topics create NAME') })
    expect(faultline(`status --dir ${home}/nowhere`)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('npx faultline up'),
    })
    expect(faultline('explode').status).toBe(1)
  })

  it('stops, and starts again with what was there', () => {
    expect(faultline('down').stdout).toContain('data stays')
    expect(pids.filter(isAlive)).toEqual([])
    json(`up --dir ${home}/cluster --fast --detach`)
    expect(json('topics')).toContainEqual({ name: 'orders', partitions: 2, replicationFactor: 3 })
  })
})

describe('a cluster in the foreground', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('is stopped by %s, and nothing of it is left', async (signal) => {
    const folder = mkdtempSync(join(tmpdir(), 'faultline-test-'))
    const args = [
      PROGRAM,
      'up',
      '--dir',
      join(folder, 'cluster'),
      '--port',
      '0',
      '--brokers',
      '1',
      '--controllers',
      '1',
      '-o',
      'json',
    ]
    const up = spawn(process.execPath, args, { env: { ...process.env, XDG_STATE_HOME: join(folder, 'state') } })
    let out = ''
    up.stdout.on('data', (text) => (out += text))
    try {
      await until('the cluster', async () => out.endsWith('\n'))
      const { nodes } = JSON.parse(out) as { nodes: { pid: number }[] }
      up.kill(signal)
      await until('its end', async () => up.exitCode !== null)
      expect([up.exitCode, nodes.filter((n) => isAlive(n.pid))]).toEqual([0, []])
    } finally {
      up.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
