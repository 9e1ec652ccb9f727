export * from './disk/virtual-disk.ts'
export * from './failover.ts'
export * from './world.ts'
export * from './exactly-once.ts'
