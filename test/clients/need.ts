// What a client needs of this machine.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** This machine has not what a client needs. */
export class Missing extends Error {}

/** A first build compiles or fetches everything. */
const RUN_LIMIT_MS = 540_000

/** Throws Missing when it cannot be run. */
export async function need(what: string, file: string, args: readonly string[], cwd?: string): Promise<void> {
  try {
    await run(file, args, cwd)
  } catch (error) {
    throw new Missing(`${what} is missing: ${(error as Error).message}`)
  }
}

export async function run(file: string, args: readonly string[], cwd?: string): Promise<void> {
  await promisify(execFile)(file, args, { cwd, timeout: RUN_LIMIT_MS })
}
