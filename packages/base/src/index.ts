export * from './assert.ts'
export * from './ports.ts'
export * from './prng.ts'
export * from './refusal.ts'
