// Storage faults on a disk, each kind: what the program above sees, what is on the disk afterwards, and which operations it chooses.
import { DiskError } from '@faultline/base'
import { beforeEach, describe, expect, it } from 'vitest'
import { VirtualDisk } from '../../sim/src/disk/virtual-disk.ts'
import { ArmedFaults, FaultyDisk, type NodeFault, StorageFaults } from '../src/index.ts'

const LOG = 'data/orders-0/00000000000000000000.log'
const INDEX = 'data/orders-0/00000000000000000000.index'

let disk: VirtualDisk
let faults: ArmedFaults
let faulty: FaultyDisk
let machine: string[]
let now: number

beforeEach(() => {
  disk = new VirtualDisk()
  disk.makeDirectory('data/orders-0')
  faults = new ArmedFaults({ emit: () => {} })
  machine = []
  now = 1000
  const crash = () => {
    machine.push('crash')
    throw new Error('crashed')
  }
  const clock = { wall: () => now, mono: () => now, after: () => ({ cancel: () => {} }) }
  faulty = new FaultyDisk(disk, new StorageFaults(faults, { crash }), clock)
})

function arm(
  kind: string,
  where: NodeFault['where'] = {},
  parameters: NodeFault['parameters'] = {},
  count: number | null = null,
): void {
  faults.arm({ id: 'f', family: 'storage', kind, where, trigger: {}, count, observe: false, parameters })
}

const write = (path: string, bytes = [1, 2, 3, 4]) => {
  const file = faulty.open(path, 'rw')
  file.write(new Uint8Array(bytes), 0)
  return file
}
const content = (path: string) => {
  const file = disk.open(path, 'r')
  const bytes = new Uint8Array(file.size())
  file.read(bytes, 0)
  return [...bytes]
}
const codeOf = (run: () => unknown) => {
  try {
    run()
  } catch (error) {
    if (error instanceof DiskError) return error.code
    throw error
  }
  return 'none'
}

describe('without faults', () => {
  it('is the disk behind it', () => {
    write(LOG).sync()
    expect(content(LOG)).toEqual([1, 2, 3, 4])
    expect(faulty.list('data/orders-0')).toEqual([LOG.split('/')[2]])
  })
})

describe('a disk fault', () => {
  it('full: nothing is written or made, what is there can be read', () => {
    const file = write(LOG)
    arm('full')
    expect(codeOf(() => file.write(new Uint8Array([9]), 4))).toBe('ENOSPC')
    expect(codeOf(() => faulty.open(INDEX, 'rw'))).toBe('ENOSPC')
    expect(file.read(new Uint8Array(4), 0)).toBe(4)
    faults.disarmAll()
    file.write(new Uint8Array([9]), 4)
    expect(content(LOG)).toEqual([1, 2, 3, 4, 9])
  })

  it('io-error: of the operation that is named', () => {
    const file = write(LOG)
    arm('io-error', {}, { operation: 'sync' })
    expect(codeOf(() => file.write(new Uint8Array([9]), 4))).toBe('none')
    expect(codeOf(() => file.sync())).toBe('EIO')
    arm('io-error', {}, { operation: 'read' })
    expect(codeOf(() => file.read(new Uint8Array(1), 0))).toBe('EIO')
  })

  it('slow: it is done at once, and to be taken for done later, one thing after the other', () => {
    const file = write(LOG)
    arm('slow', {}, { operation: 'sync', ms: 70 })
    file.write(new Uint8Array([9]), 4)
    expect(file.lateMs('write')).toBe(0)
    file.sync()
    file.sync()
    expect(content(LOG)).toEqual([1, 2, 3, 4, 9])
    expect([file.lateMs('write'), file.lateMs('read')]).toEqual([140, 0])
    now += 100
    expect(file.lateMs('write')).toBe(40)
    now += 100
    expect(file.lateMs('write')).toBe(0)
  })

  it('slow: reads make no write wait, and nobody waits for an index', () => {
    const [log, index] = [write(LOG), write(INDEX)]
    arm('slow', {}, { ms: 70 })
    log.read(new Uint8Array(1), 0)
    index.write(new Uint8Array([9]), 4)
    expect([log.lateMs('read'), log.lateMs('write'), index.lateMs('write')]).toEqual([70, 0, 0])
  })

  it('torn-write: half of it is there, and the node is not', () => {
    const file = write(LOG)
    arm('torn-write')
    expect(() => file.write(new Uint8Array([5, 6, 7, 8]), 4)).toThrow('crashed')
    expect([content(LOG), machine]).toEqual([[1, 2, 3, 4, 5, 6], ['crash']])
  })

  it('bit-flip: one bit is wrong, and the writer has not noticed', () => {
    arm('bit-flip', {}, {}, 1)
    const given = [0, 0, 0, 0]
    write(LOG, given)
    expect(content(LOG).reduce((ones, byte) => ones + byte.toString(2).replaceAll('0', '').length, 0)).toBe(1)
    expect(given).toEqual([0, 0, 0, 0])
    write(INDEX, given)
    expect(content(INDEX)).toEqual(given)
  })

  it('chooses kinds of files, topics and partitions', () => {
    const [log, index] = [write(LOG), write(INDEX)]
    const outcomes = () => [log, index].map((file) => codeOf(() => file.write(new Uint8Array([9]), 4)))
    arm('io-error', { file: 'index' })
    expect(outcomes()).toEqual(['none', 'EIO'])
    arm('io-error', { topic: 'orders', partition: 1 })
    expect(outcomes()).toEqual(['none', 'none'])
    arm('io-error', { topic: 'orders' })
    expect(outcomes()).toEqual(['EIO', 'EIO'])
  })
})
