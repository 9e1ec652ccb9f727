import { DiskError, Prng } from '@faultline/base'
import { describe, expect, it } from 'vitest'
import { VirtualDisk, type DiskAttempt } from '../src/disk/virtual-disk.ts'
import { diskContract } from './disk-contract.ts'

diskContract('virtual', () => new VirtualDisk())

const bytes = (text: string) => new TextEncoder().encode(text)

function text(disk: VirtualDisk, path: string): string {
  const file = disk.open(path, 'r')
  const into = new Uint8Array(file.size())
  file.read(into, 0)
  return new TextDecoder().decode(into)
}

/** One durable file with an unsynced rest. */
function halfSynced(disk: VirtualDisk): void {
  const file = disk.open('a', 'rw')
  file.write(bytes('durable'), 0)
  file.sync()
  disk.syncDirectory('')
  file.write(bytes(' pending'), 7)
}

describe('crashes of the virtual disk', () => {
  it('keep everything when only the process dies', () => {
    const disk = new VirtualDisk()
    halfSynced(disk)
    disk.crashProcess()
    expect(text(disk, 'a')).toBe('durable pending')
  })

  it('take unsynced bytes and names when the power goes', () => {
    const disk = new VirtualDisk()
    halfSynced(disk)
    disk.open('b', 'rw').sync()
    disk.crashPower(new Prng(1), 0)
    expect(text(disk, 'a')).toBe('durable')
    expect(disk.exists('b')).toBe(false)
    expect(disk.usedBytes).toBe(7)
  })

  it('may keep some of it, torn, with zeros before what was kept', () => {
    const seen = new Set<string>()
    for (let seed = 0; seed < 200; seed++) {
      const disk = new VirtualDisk()
      const file = disk.open('a', 'rw')
      disk.syncDirectory('')
      file.write(new Uint8Array(1024).fill(1), 0)
      file.write(new Uint8Array(512).fill(2), 1024)
      disk.crashPower(new Prng(seed), 0.5)
      const size = disk.open('a', 'r').size()
      const content = new Uint8Array(size)
      disk.open('a', 'r').read(content, 0)
      seen.add([size, content[0], content[600], content[1024]].join())
    }
    expect([...seen].sort()).toEqual(['0,,,', '1024,1,1,', '1536,0,0,2', '1536,1,0,2', '1536,1,1,2', '512,1,,'])
  })

  it('never leave a half-done rename', () => {
    for (let seed = 0; seed < 50; seed++) {
      const disk = new VirtualDisk()
      for (const name of ['old', 'new']) {
        const file = disk.open(name, 'rw')
        file.write(bytes(name), 0)
        file.sync()
      }
      disk.syncDirectory('')
      disk.rename('new', 'old')
      disk.crashPower(new Prng(seed), 0.5)
      expect(['old with new', 'new']).toContain(text(disk, 'old') + (disk.exists('new') ? ' with new' : ''))
    }
  })

  it('spare what the system wrote back long ago', () => {
    let now = 0
    const clock = { wall: () => now, mono: () => now, after: () => ({ cancel: () => {} }) }
    const disk = new VirtualDisk({ clock, writeBackMs: 30_000 })
    const file = disk.open('a', 'rw')
    file.write(bytes('early'), 0)
    now = 31_000
    file.write(bytes(' late'), 5)
    disk.crashPower(new Prng(1), 0)
    expect(text(disk, 'a')).toBe('early')
  })

  it('close every handle', () => {
    const disk = new VirtualDisk()
    const file = disk.open('a', 'rw')
    disk.crashProcess()
    expect(() => file.write(bytes('x'), 0)).toThrow('not open')
    expect(() => file.read(new Uint8Array(1), 0)).toThrow('after close or crash')
  })
})

describe('faults of the virtual disk', () => {
  it('fill up, leaving what fitted', () => {
    const disk = new VirtualDisk({ capacity: 10 })
    const file = disk.open('a', 'rw')
    file.write(bytes('12345678'), 0)
    expect(() => file.write(bytes('abcd'), 8)).toThrow(DiskError)
    expect(text(disk, 'a')).toBe('12345678ab')
    file.write(bytes('over'), 0)
    file.truncate(2)
    file.write(bytes('abcd'), 2)
    expect(disk.usedBytes).toBe(6)
    disk.remove('a')
    expect(disk.usedBytes).toBe(0)
  })

  it('fail the operation that is asked for', () => {
    const disk = new VirtualDisk()
    const file = disk.open('a', 'rw')
    const seen: string[] = []
    disk.fault = (attempt: DiskAttempt) => {
      seen.push(attempt.operation)
      return attempt.operation === 'write' ? { code: 'EIO', written: 2 } : undefined
    }
    expect(() => file.write(bytes('abcd'), 0)).toThrow('EIO')
    expect(text(disk, 'a')).toBe('ab')
    file.sync()
    expect(seen).toEqual(['write', 'open', 'read', 'sync'])
  })

  it('flip bits', () => {
    const disk = new VirtualDisk()
    halfSynced(disk)
    disk.flipBit('a', 0, 0)
    expect(text(disk, 'a')).toBe('eurable pending')
  })
})
