// What every Disk does, whatever it is made of. Run on the virtual disk here and on the real one in packages/node.
import { DiskError, type Disk, type DiskErrorCode } from '@faultline/base'
import { beforeEach, describe, expect, it } from 'vitest'

const bytes = (text: string) => new TextEncoder().encode(text)

export function diskContract(name: string, make: () => Disk): void {
  describe(`the contract of a disk, ${name}`, () => {
    let disk: Disk
    beforeEach(() => {
      disk = make()
    })

    const fails = (code: DiskErrorCode, run: () => unknown) => {
      const error = caught(run)
      expect(error).toBeInstanceOf(DiskError)
      expect((error as DiskError).code).toBe(code)
    }
    const put = (path: string, text: string) => {
      const file = disk.open(path, 'rw')
      file.write(bytes(text), 0)
      file.close()
    }
    const text = (path: string) => {
      const file = disk.open(path, 'r')
      const into = new Uint8Array(file.size())
      file.read(into, 0)
      file.close()
      return new TextDecoder().decode(into)
    }

    it('creates a file when opened for writing, and not for reading', () => {
      fails('ENOENT', () => disk.open('a', 'r'))
      expect(disk.exists('a')).toBe(false)
      disk.open('a', 'rw').close()
      expect(disk.exists('a')).toBe(true)
      expect(text('a')).toBe('')
    })

    it('reads back what was written, at any position', () => {
      const file = disk.open('a', 'rw')
      file.write(bytes('hello'), 0)
      file.write(bytes('XY'), 3)
      expect(file.size()).toBe(5)
      const into = new Uint8Array(10)
      expect(file.read(into, 1)).toBe(4)
      expect(new TextDecoder().decode(into.subarray(0, 4))).toBe('elXY')
      expect(file.read(into, 5)).toBe(0)
      expect(file.read(into, 50)).toBe(0)
      file.close()
    })

    it('opens without emptying, and fills a gap with zeros', () => {
      put('a', 'abc')
      const file = disk.open('a', 'rw')
      file.write(bytes('z'), 5)
      file.close()
      expect(text('a')).toBe('abc\0\0z')
    })

    it('truncates and grows', () => {
      const file = disk.open('a', 'rw')
      file.write(bytes('abcdef'), 0)
      file.truncate(2)
      file.truncate(4)
      expect(file.size()).toBe(4)
      file.close()
      expect(text('a')).toBe('ab\0\0')
    })

    it('keeps the written bytes when the caller changes its own', () => {
      const mine = bytes('abc')
      const file = disk.open('a', 'rw')
      file.write(mine, 0)
      mine.fill(0)
      file.close()
      expect(text('a')).toBe('abc')
    })

    it('lists sorted names, and makes parents', () => {
      disk.makeDirectory('x/y/z')
      disk.makeDirectory('x/y/z')
      put('x/b', '')
      put('x/a', '')
      expect(disk.list('x')).toEqual(['a', 'b', 'y'])
      expect(disk.list('x/y/z')).toEqual([])
      expect(disk.isDirectory('x/y')).toBe(true)
      expect(disk.isDirectory('x/a')).toBe(false)
      expect(disk.isDirectory('x/nothing')).toBe(false)
      fails('ENOENT', () => disk.list('nowhere'))
      fails('ENOTDIR', () => disk.list('x/a'))
      fails('ENOENT', () => disk.open('nowhere/a', 'rw'))
      fails('EISDIR', () => disk.open('x', 'rw'))
      fails('EEXIST', () => disk.makeDirectory('x/a'))
    })

    it('renames over a file, and moves directories', () => {
      put('a', 'new')
      put('b', 'old')
      disk.rename('a', 'b')
      expect(disk.exists('a')).toBe(false)
      expect(text('b')).toBe('new')
      disk.makeDirectory('d')
      put('d/f', 'inside')
      disk.rename('d', 'e')
      expect(text('e/f')).toBe('inside')
      fails('ENOENT', () => disk.rename('a', 'c'))
    })

    it('removes a file, a tree and nothing', () => {
      disk.makeDirectory('d/e')
      put('d/e/f', 'x')
      disk.remove('d')
      expect(disk.exists('d/e/f')).toBe(false)
      expect(disk.exists('d')).toBe(false)
      disk.remove('d')
      disk.remove('never/was')
    })

    it('serves an open file that is renamed or removed', () => {
      const file = disk.open('a', 'rw')
      file.write(bytes('abc'), 0)
      disk.rename('a', 'b')
      file.write(bytes('d'), 3)
      expect(text('b')).toBe('abcd')
      disk.remove('b')
      const into = new Uint8Array(4)
      expect(file.read(into, 0)).toBe(4)
      file.close()
    })

    it('syncs files and directories', () => {
      disk.makeDirectory('d')
      const file = disk.open('d/a', 'rw')
      file.write(bytes('abc'), 0)
      file.sync()
      file.close()
      disk.syncDirectory('d')
      expect(text('d/a')).toBe('abc')
      fails('ENOENT', () => disk.syncDirectory('nowhere'))
    })
  })
}

function caught(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}
