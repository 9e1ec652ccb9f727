// Records that Kafka stores: the metadata log, __consumer_offsets, and what stands in partition logs beside applications'
// records.
export * from './broker-records.ts'
export * from './cluster-records.ts'
export * from './consumer-group-records.ts'
export * from './consumer-protocol.ts'
export * from './group-records.ts'
export * from './log-records.ts'
export {
  decodeMetadataRecord,
  encodeMetadataRecord,
  METADATA_RECORDS,
  type MetadataRecord,
  type MetadataRecordType,
  type MetadataRecordValue,
} from './metadata-record.ts'
export type { StoredRecord } from './record.ts'
export * from './topic-records.ts'
export * from './transaction-records.ts'
