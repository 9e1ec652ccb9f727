export * from './proxy.ts'
export * from './proxy-server.ts'
export type { Direction, ToxicJson } from './toxic.ts'
