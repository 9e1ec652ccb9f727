// What a test imports as "faultline": a cluster of its own, and the refusals that it may answer with.
export { Refusal } from '@faultline/base'
export { startCluster } from './start-cluster.ts'
