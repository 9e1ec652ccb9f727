// Once for all test files: what this machine lacks, and the image, which is gone afterwards.
import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'
import { composeCommand, missing, ROOT } from './machine.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Empty when the cluster can run in containers here. */
    lacks: string
    image: string
  }
}

const LIMIT_MS = 300_000

const run = promisify(execFile)

export default async function (project: TestProject) {
  const image = `faultline:test-${process.pid}`
  const lacks = (await missing()) ?? ''
  project.provide('lacks', lacks)
  project.provide('image', image)
  if (lacks !== '') return void console.log(`the cluster under Compose is not tested: ${lacks}`)
  await build(image)
  return async () => void (await run('docker', ['image', 'rm', '-f', image]))
}

/** Behind a proxy with a certificate of its own, the image is built with that. */
async function build(image: string): Promise<void> {
  const certificate = join(ROOT, 'docker/ca.pem')
  const own = process.env['NODE_EXTRA_CA_CERTS']
  const lent = own !== undefined && !existsSync(certificate)
  if (lent) copyFileSync(own, certificate)
  try {
    const [file, ...args] = [...(await composeCommand())!, '-f', 'docker/compose.yaml', 'build', 'director']
    const env = { ...process.env, FAULTLINE_IMAGE: image }
    await run(file!, args, { cwd: ROOT, env, timeout: LIMIT_MS, maxBuffer: 1 << 26 })
  } finally {
    if (lent) rmSync(certificate)
  }
}
