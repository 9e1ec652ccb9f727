import { DiskError, Prng, Refusal, type RefusalCode } from '@faultline/base'
import { describe, expect, it } from 'vitest'
import { VirtualDisk } from '../../sim/src/disk/virtual-disk.ts'
import { DEFAULT_LOG_CONFIG, LogDirectory, type LogDirectoryOptions } from '../src/index.ts'
import { TOPIC_ID, TestClock, readAll, values } from './support.ts'

const OTHER_ID = 'b3RoZXJvdGhlcm90aGVybw'

function setup(disk = new VirtualDisk()) {
  const timers: (() => void)[] = []
  const clock = new TestClock()
  clock.after = (_delay, run) => {
    timers.push(run)
    return { cancel: () => void timers.splice(timers.indexOf(run), 1) }
  }
  const open = (options: Partial<LogDirectoryOptions> = {}) =>
    LogDirectory.open({ disk, clock, random: new Prng(5), path: 'data', clusterId: 'c1', nodeId: 1, ...options })
  return { disk, clock, open, timers }
}

function put(disk: VirtualDisk, path: string, text: string): void {
  const file = disk.open(path, 'rw')
  file.truncate(0)
  file.write(new TextEncoder().encode(text), 0)
}

function text(disk: VirtualDisk, path: string): string {
  const file = disk.open(path, 'r')
  const bytes = new Uint8Array(file.size())
  file.read(bytes, 0)
  return new TextDecoder().decode(bytes)
}

function refusal(run: () => unknown): RefusalCode {
  try {
    run()
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
  throw new Error('no refusal')
}

describe('a data folder', () => {
  it('is made ours, and keeps its id', () => {
    const { disk, open } = setup()
    const first = open()
    expect(first.previousBrokerEpoch).toBe(-1)
    expect(text(disk, 'data/meta.properties')).toBe(`cluster.id=c1\ndirectory.id=${first.directoryId}\nnode.id=1\nversion=1\n`)
    expect(open({ random: new Prng(6) }).directoryId).toBe(first.directoryId)
  })

  it('is refused when it is not ours', () => {
    const { disk, open } = setup()
    open()
    expect(refusal(() => open({ clusterId: 'c2' }))).toBe('FOLDER_FOREIGN')
    expect(refusal(() => open({ nodeId: 2 }))).toBe('FOLDER_FOREIGN')
    put(disk, 'data/meta.properties', 'version=2\ncluster.id=c1\nnode.id=1\n')
    expect(refusal(() => open())).toBe('FOLDER_FOREIGN')
    put(disk, 'data/meta.properties', '\0\0\0')
    expect(refusal(() => open())).toBe('FOLDER_FOREIGN')
    disk.makeDirectory('photos')
    put(disk, 'photos/cat.jpg', 'x')
    expect(refusal(() => open({ path: 'photos' }))).toBe('FOLDER_FOREIGN')
  })

  it('is refused when the disk fails at start', () => {
    const { disk, open } = setup()
    disk.fault = ({ operation }) => (operation === 'write' ? { code: 'EROFS' } : undefined)
    expect(refusal(() => open())).toBe('FOLDER_UNUSABLE')
    disk.fault = ({ operation }) => (operation === 'write' ? { code: 'ENOSPC' } : undefined)
    expect(refusal(() => open())).toBe('DISK_FULL')
  })

  it('brings all logs back after a clean stop, without looking at records', () => {
    const { disk, open } = setup()
    const directory = open()
    for (let partition = 0; partition < 3; partition++) {
      const log = directory.create('a.b-c', partition, TOPIC_ID, DEFAULT_LOG_CONFIG)
      for (let i = 0; i < 5; i++) log.appendAsLeader(values([`${partition}/${i}`]), 0, 'client')
      log.updateHighWatermark(4)
      log.advanceLogStartOffset(2)
    }
    directory.closeClean(77)
    expect(text(disk, 'data/recovery-point-offset-checkpoint')).toBe('0\n3\na.b-c 0 5\na.b-c 1 5\na.b-c 2 5\n')
    expect(text(disk, 'data/replication-offset-checkpoint')).toBe('0\n3\na.b-c 0 4\na.b-c 1 4\na.b-c 2 4\n')
    expect(text(disk, 'data/log-start-offset-checkpoint')).toBe('0\n3\na.b-c 0 2\na.b-c 1 2\na.b-c 2 2\n')
    expect(text(disk, 'data/.kafka_cleanshutdown')).toBe('{"version":0,"brokerEpoch":77}')
    const again = open()
    expect([again.cleanShutdown, again.previousBrokerEpoch]).toEqual([true, 77])
    expect(disk.exists('data/.kafka_cleanshutdown')).toBe(false)
    const log = again.get('a.b-c', 1)!
    expect(log.topicId).toBe(TOPIC_ID)
    expect([log.logStartOffset, log.highWatermark, log.logEndOffset]).toEqual([2, 4, 5])
    expect(readAll(log).map((r) => r.value)).toEqual(['1/2', '1/3', '1/4'])
    expect(again.partitions).toHaveLength(3)
  })

  it('knows that a stop was not clean', () => {
    const { disk, open } = setup()
    const directory = open()
    directory.create('t', 0, TOPIC_ID, DEFAULT_LOG_CONFIG).appendAsLeader(values(['a']), 0, 'client')
    disk.crashProcess()
    const again = open()
    expect([again.cleanShutdown, again.previousBrokerEpoch]).toEqual([false, -1])
    expect(readAll(again.get('t', 0)!)).toHaveLength(1)
  })

  it('gives back the same log, or a new one for a new topic of that name', () => {
    const { disk, open, timers } = setup()
    const directory = open()
    const log = directory.create('t', 0, TOPIC_ID, DEFAULT_LOG_CONFIG)
    log.appendAsLeader(values(['old']), 0, 'client')
    expect(directory.create('t', 0, TOPIC_ID, { ...DEFAULT_LOG_CONFIG, compact: true })).toBe(log)
    expect(log.config.compact).toBe(true)
    const other = directory.create('t', 0, OTHER_ID, DEFAULT_LOG_CONFIG)
    expect(other.logEndOffset).toBe(0)
    expect(other.topicId).toBe(OTHER_ID)
    const aside = disk.list('data').filter((name) => name.endsWith('-delete'))
    expect(aside).toEqual([expect.stringMatching(/^t-0\.[0-9a-f]{32}-delete$/)])
    for (const run of timers) run()
    expect(disk.list('data').filter((name) => name.endsWith('-delete'))).toEqual([])
  })

  it('finishes at start what it was removing', () => {
    const { disk, open } = setup()
    const directory = open()
    directory.remove(directory.create('t', 0, TOPIC_ID, DEFAULT_LOG_CONFIG))
    directory.closeClean(1)
    expect(disk.list('data').some((name) => name.endsWith('-delete'))).toBe(true)
    expect(open().partitions).toEqual([])
    expect(disk.list('data').some((name) => name.endsWith('-delete'))).toBe(false)
  })

  it('lets the cluster vouch for a folder whose id was lost', () => {
    for (const spoil of ['', 'version: 7\n', 'version: 0\ntopic_id: short\n']) {
      const { disk, open } = setup()
      const directory = open()
      directory.create('t', 0, TOPIC_ID, DEFAULT_LOG_CONFIG).appendAsLeader(values(['kept']), 0, 'client')
      directory.closeClean(1)
      put(disk, 'data/t-0/partition.metadata', spoil)
      const log = open().create('t', 0, TOPIC_ID, DEFAULT_LOG_CONFIG)
      expect(readAll(log)).toEqual([{ offset: 0, value: 'kept' }])
      expect(text(disk, 'data/t-0/partition.metadata')).toBe(`version: 0\ntopic_id: ${TOPIC_ID}\n`)
    }
  })

  it('starts with damaged checkpoints', () => {
    for (const spoil of ['', '1\n0\n', '0\n2\nt 0 3\n', '0\n1\nt 0 -3\n', '0\n1\nt 0\n', 'rubbish']) {
      const { disk, open } = setup()
      const log = open().create('t', 0, TOPIC_ID, DEFAULT_LOG_CONFIG)
      for (let i = 0; i < 5; i++) log.appendAsLeader(values([`${i}`]), 0, 'client')
      disk.crashProcess()
      for (const file of ['recovery-point', 'replication', 'log-start']) {
        put(disk, `data/${file}-offset-checkpoint`, spoil)
      }
      const again = open().get('t', 0)!
      expect([again.logStartOffset, again.highWatermark, again.logEndOffset]).toEqual([0, 0, 5])
      expect(readAll(again)).toHaveLength(5)
    }
  })

  it('leaves no mark of a clean stop when something could not be written', () => {
    const { disk, open } = setup()
    const failures: DiskError[] = []
    const directory = open({ onFailure: (error) => failures.push(error) })
    directory.create('t', 0, TOPIC_ID, DEFAULT_LOG_CONFIG).appendAsLeader(values(['a']), 0, 'client')
    disk.fault = ({ operation, path }) => (operation === 'sync' && path.endsWith('.log') ? { code: 'EIO' } : undefined)
    directory.closeClean(1)
    expect(failures).toHaveLength(1)
    expect(directory.failure?.path).toContain('t-0')
    expect(disk.exists('data/.kafka_cleanshutdown')).toBe(false)
  })

  it('writes the recovery point down before anything is written below it', () => {
    const { disk, open } = setup()
    const directory = open()
    const log = directory.create('t', 0, TOPIC_ID, DEFAULT_LOG_CONFIG)
    for (let i = 0; i < 5; i++) log.appendAsLeader(values([`${i}`]), 0, 'client')
    log.flush()
    directory.writeCheckpoints()
    expect(text(disk, 'data/recovery-point-offset-checkpoint')).toContain('t 0 5')
    log.truncateTo(2)
    expect(text(disk, 'data/recovery-point-offset-checkpoint')).toContain('t 0 2')
  })

  it('ignores what is no partition', () => {
    const { disk, open } = setup()
    open()
    disk.makeDirectory('data/lost+found')
    disk.makeDirectory('data/raft')
    put(disk, 'data/t-0', 'a file')
    expect(open().partitions).toEqual([])
  })
})
