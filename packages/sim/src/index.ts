export * from './disk/virtual-disk.ts'
