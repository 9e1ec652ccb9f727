export * from './disk/node-disk.ts'
