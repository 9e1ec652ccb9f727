export * from './cluster-client.ts'
export * from './connection.ts'
export * from './producer.ts'
