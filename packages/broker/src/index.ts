export * from './broker.ts'
export { brokerFamilies } from './metrics/broker-metrics.ts'
