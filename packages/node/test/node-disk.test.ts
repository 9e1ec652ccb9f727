import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DiskError } from '@faultline/base'
import { afterAll, describe, expect, it } from 'vitest'
import { diskContract } from '../../sim/test/disk-contract.ts'
import { NodeDisk } from '../src/disk/node-disk.ts'

const root = mkdtempSync(join(tmpdir(), 'faultline-disk-'))
let folders = 0
const freshDisk = () => {
  const folder = `${folders++}`
  new NodeDisk(root).makeDirectory(folder)
  return new NodeDisk(join(root, folder))
}

afterAll(() => rmSync(root, { recursive: true, force: true }))

diskContract('of the operating system', freshDisk)

describe('the disk of the operating system', () => {
  it('takes absolute paths as they are', () => {
    const disk = freshDisk()
    disk.makeDirectory(join(root, 'absolute'))
    expect(disk.isDirectory(join(root, 'absolute'))).toBe(true)
    expect(disk.exists('absolute')).toBe(false)
  })

  it('says which file an error is about, and what the system said', () => {
    try {
      freshDisk().open('missing', 'r')
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(DiskError)
      expect(error).toMatchObject({ code: 'ENOENT', path: 'missing' })
      expect((error as DiskError).message).toContain('no such file')
    }
  })
})
