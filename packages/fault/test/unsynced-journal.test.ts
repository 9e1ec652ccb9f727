// A kill that is to be a power loss: what was written and not synced is gone when the node starts again, and nothing else.
import { Prng } from '@faultline/base'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { VirtualDisk } from '../../sim/src/disk/virtual-disk.ts'
import { ArmedFaults, FaultyDisk, type NodeFault, StorageFaults } from '../src/index.ts'

const LOG = 'data/orders-0/00000000000000000000.log'
const OTHER = 'data/other-0/00000000000000000000.log'
const JOURNAL = 'data.unsynced'

let disk: VirtualDisk
let now: number
let hits: Record<string, unknown>[]

beforeEach(() => {
  disk = new VirtualDisk()
  for (const folder of ['data/orders-0', 'data/other-0']) disk.makeDirectory(folder)
  now = 1000
  hits = []
})

/** One life of a node: its faults are armed before it does anything. */
function life(fault: Partial<NodeFault> | null = {}) {
  const emit = (name: string, fields: object) => void (name === 'fault.hit' && hits.push({ ...fields }))
  const faults = new ArmedFaults({ emit })
  const clock = { wall: () => now, mono: () => now, after: () => ({ cancel: () => {} }) }
  const faulty = new FaultyDisk(disk, new StorageFaults(faults, { crash: () => {} }), clock, JOURNAL)
  const armed = {
    id: 'f',
    family: 'storage',
    kind: 'lose-unsynced',
    where: {},
    trigger: {},
    count: null,
    observe: false,
  } as const
  if (fault) faults.arm({ ...armed, parameters: {}, ...fault })
  faulty.start()
  faults.onChange = () => faulty.adapt()
  return { faulty, faults }
}

const bytes = (count: number, value = 1) => new Uint8Array(count).fill(value)
const sizeOf = (path: string) => disk.open(path, 'r').size()

describe('a node that is killed while it is to lose what it has not synced', () => {
  it('has lost it, and says how much', () => {
    const file = life().faulty.open(LOG, 'rw')
    file.write(bytes(100), 0)
    file.sync()
    file.write(bytes(50), 100)
    now += 1000
    file.write(bytes(50), 150)
    expect(sizeOf(LOG)).toBe(200)
    life()
    expect(sizeOf(LOG)).toBe(100)
    expect(hits).toMatchObject([{ kind: 'lose-unsynced', files: 1, bytes: 100 }])
    life()
    expect(hits).toHaveLength(1)
  })

  it('keeps what is older than the age after which the system has written it', () => {
    const file = life({ parameters: { age: 5000 } }).faulty.open(LOG, 'rw')
    for (let i = 0; i < 10; i++) {
      file.write(bytes(10), i * 10)
      now += 1000
    }
    life({ parameters: { age: 5000 } })
    // The last write was at 9 s, so those from 4 s on are gone.
    expect(sizeOf(LOG)).toBe(40)
  })

  it('keeps what it was not told to lose, and what it wrote before', () => {
    const before = life(null).faulty.open(LOG, 'rw')
    before.write(bytes(10), 0)
    const { faulty } = life({ where: { topic: 'orders' } })
    const [log, other] = [faulty.open(LOG, 'rw'), faulty.open(OTHER, 'rw')]
    log.write(bytes(10), 10)
    other.write(bytes(10), 0)
    life({ where: { topic: 'orders' } })
    expect([sizeOf(LOG), sizeOf(OTHER)]).toEqual([10, 10])
  })

  it('loses nothing when it ends by itself, is healed before, or when the fault only looks', () => {
    const first = life()
    first.faulty.open(LOG, 'rw').write(bytes(10), 0)
    first.faulty.stop()
    const second = life()
    second.faulty.open(LOG, 'rw').write(bytes(10), 10)
    second.faults.disarmAll()
    expect(disk.exists(JOURNAL)).toBe(false)
    life({ observe: true }).faulty.open(LOG, 'rw').write(bytes(10), 20)
    life({ observe: true })
    expect(sizeOf(LOG)).toBe(30)
    expect(hits).toMatchObject([{ observed: true, bytes: 10 }])
  })

  it('follows files by their names: a topic that is deleted and made anew is another one', () => {
    const { faulty } = life()
    faulty.open(LOG, 'rw').write(bytes(100), 0)
    faulty.rename('data/orders-0', 'data/orders-0.aside-delete')
    faulty.makeDirectory('data/orders-0')
    const anew = faulty.open(LOG, 'rw')
    anew.write(bytes(20), 0)
    anew.sync()
    life()
    expect(sizeOf(LOG)).toBe(20)
    expect(sizeOf('data/orders-0.aside-delete/00000000000000000000.log')).toBe(0)
  })

  it('equals a plain model after random writes, syncs and cuts', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        disk = new VirtualDisk()
        disk.makeDirectory('data/orders-0')
        const random = new Prng(seed)
        const file = life().faulty.open(LOG, 'rw')
        let size = 0
        let safe = 0
        for (let i = 0; i < 60; i++) {
          now += random.below(40)
          const choice = random.below(10)
          if (choice < 7) {
            const count = 1 + random.below(100)
            file.write(bytes(count), size)
            size += count
          } else if (choice < 9) {
            file.sync()
            safe = size
          } else {
            size = random.below(size + 1)
            safe = Math.min(safe, size)
            file.truncate(size)
          }
        }
        life()
        expect(sizeOf(LOG)).toBe(safe)
      }),
      { numRuns: 300 },
    )
  })
})
