// Every API that is served: what is listed here is what ApiVersions advertises.
import { produceHandler } from './00-produce.ts'
import { fetchHandler } from './01-fetch.ts'
import { metadataHandler } from './03-metadata.ts'
import { apiVersionsHandler } from './18-api-versions.ts'
import { createTopicsHandler } from './19-create-topics.ts'
import { initProducerIdHandler } from './22-init-producer-id.ts'
import type { ApiHandler } from './handler.ts'

export const HANDLERS: readonly ApiHandler[] = [
  produceHandler,
  fetchHandler,
  metadataHandler,
  apiVersionsHandler,
  createTopicsHandler,
  initProducerIdHandler,
]
