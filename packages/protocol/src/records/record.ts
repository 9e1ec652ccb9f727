// A record of the metadata log: a message with the number that stands before it in the log.
import type { Fields } from '../schema/fields.ts'
import { type Message, message, type Versions } from '../schema/message.ts'

export interface StoredRecord<Name extends string = string, F extends Fields = Fields> extends Message<F> {
  readonly key: number
  readonly name: Name
}

export function record<const Name extends string, const F extends Fields>(
  key: number,
  name: Name,
  versions: Versions,
  fields: F,
): StoredRecord<Name, F> {
  return { ...message(name, versions, fields), key, name }
}
