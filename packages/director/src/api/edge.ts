// The record at the brokers' edge: asked for, and read back as lines of JSON.
import { createReadStream, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { edgeFolder } from '@faultline/node'
import { Hono } from 'hono'
import type { Supervisor } from '../supervisor.ts'

export function edgeRoutes({ fleet }: Supervisor): Hono {
  const app = new Hono()
  app.post('/edge', async (c) => {
    await fleet.record()
    return c.json({ recording: true })
  })
  app.get('/edge', (c) => {
    c.header('content-type', 'application/x-ndjson')
    return c.body(Readable.toWeb(Readable.from(linesIn(edgeFolder(fleet.tallyFolder)))) as ReadableStream)
  })
  return app
}

/** One broker after the other, each in its order. */
async function* linesIn(folder: string): AsyncGenerator<Uint8Array> {
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder).sort()) yield* createReadStream(join(folder, name)) as AsyncIterable<Uint8Array>
}
