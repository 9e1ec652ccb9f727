// One test for each client, on a cluster of its own. What this machine cannot run is skipped, with the reason, unless REQUIRE_CLIENTS names it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { startTestCluster, type TestCluster } from '../support/cluster.ts'
import type { Client, Programs } from './clients.ts'
import { Missing } from './need.ts'

export const required = (process.env.REQUIRE_CLIENTS ?? '').split(',').filter((name) => name !== '')

export function eachClient(
  clients: readonly Client[],
  title: string,
  run: (client: Client, programs: Programs, test: TestCluster) => Promise<void>,
): void {
  describe.each(clients.map((client) => [client.name, client] as const))('%s', (_, client) => {
    let folder: string
    let programs: Programs | Error
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'faultline-clients-'))
      programs = await client.prepare(folder).catch((error: Error) => error)
    })
    afterAll(() => rmSync(folder, { recursive: true, force: true }))

    it(title, async (context) => {
      if (programs instanceof Missing && !required.includes(client.name)) return context.skip(programs.message)
      if (programs instanceof Error) throw programs
      await using test = await startTestCluster()
      await run(client, programs, test)
    })
  })
}
