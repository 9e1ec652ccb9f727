import { expectTypeOf, it } from 'vitest'
import {
  type fetch,
  type findCoordinator,
  join,
  metadata,
  type produce,
  type RequestInput,
  type RequestOf,
  type ResponseOf,
} from '../src/index.ts'

it('infers types from declarations', () => {
  expectTypeOf<RequestOf<typeof metadata>['topics']>().toEqualTypeOf<{ topicId: string; name: string | null }[] | null>()
  expectTypeOf<RequestOf<typeof produce>['transactionalId']>().toEqualTypeOf<string | null>()
  expectTypeOf<RequestOf<typeof findCoordinator>['coordinatorKeys']>().toEqualTypeOf<string[]>()
  type Records = ResponseOf<typeof fetch>['responses'][number]['partitions'][number]['records']
  expectTypeOf<Records>().toEqualTypeOf<Uint8Array | null>()
  expectTypeOf<RequestInput<typeof metadata>['allowAutoTopicCreation']>().toEqualTypeOf<boolean | undefined>()
  const input: RequestInput<typeof metadata> = { topics: [{ name: 'a' }] }
  // @ts-expect-error no such field
  void ({ topicz: [] } satisfies RequestInput<typeof metadata>)
  const decoded: RequestOf<typeof metadata> = metadata.request.decode(join(metadata.request.encode(input, 12)), 12)
  metadata.request.encode(decoded, 12)
})
