// The declaration language of Kafka messages.
export { errorScan, type ErrorScan } from './errors-in.ts'
export {
  array,
  bool,
  bytes,
  type Field,
  type Fields,
  float64,
  INT64_MAX,
  type InputOf,
  int8,
  int16,
  int32,
  int64,
  records,
  string,
  struct,
  uint16,
  uint32,
  uuid,
  type ValueOf,
} from './fields.ts'
export {
  type Api,
  api,
  join,
  type Message,
  message,
  type RequestInput,
  type RequestOf,
  type ResponseInput,
  type ResponseOf,
  type Versions,
} from './message.ts'
export { namesIn, type TopicParts, topicParts } from './parts.ts'
