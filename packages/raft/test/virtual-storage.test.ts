import { World } from './sim/world.ts'
import { VirtualDisk, VirtualStorage } from './sim/virtual-storage.ts'
import { storageContract } from './storage-contract.ts'

storageContract('the virtual disk', async () => {
  const world = new World()
  const disk = new VirtualDisk()
  return {
    open: () => new VirtualStorage(disk, { after: (ms, run) => void world.after(ms, run), delayMs: () => 1 }),
    settle: async () => {
      while (world.step(world.now + 1000));
    },
    damage: async (what) => void disk.rotten.add(what),
    dispose: async () => {},
  }
})
