// The cluster of a test, in the runners that people have: what docs/testing.md shows is run as it stands there, from a project outside.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const EXAMPLES = [...readFileSync(join(ROOT, 'docs/testing.md'), 'utf8').matchAll(/```[jt]s\n([\s\S]*?)```/g)].map((m) => m[1]!)

let project: string
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'faultline-test-'))
  mkdirSync(join(project, 'node_modules'))
  symlinkSync(ROOT, join(project, 'node_modules/faultline'))
  symlinkSync(dirname(createRequire(import.meta.url).resolve('kafkajs/package.json')), join(project, 'node_modules/kafkajs'))
})
afterAll(() => rmSync(project, { recursive: true, force: true }))

function run(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  // A runner inside a runner must not take itself for a part of it.
  const env = { PATH: process.env['PATH'] }
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (data: Buffer) => (output += data.toString()))
    child.stderr.on('data', (data: Buffer) => (output += data.toString()))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output }))
  })
}

it('works in node:test as the example says', async () => {
  writeFileSync(
    join(project, 'cluster.test.mjs'),
    EXAMPLES.find((e) => e.includes('node:test'))!,
  )
  const { code, output } = await run(['--test', 'cluster.test.mjs'])
  expect(output).toContain('# pass 1')
  expect(code).toBe(0)
})

it('is loaded by import and by require', async () => {
  writeFileSync(
    join(project, 'loaded.mjs'),
    `import { startCluster, Refusal } from 'faultline'; console.log(startCluster.name, Refusal.name)`,
  )
  writeFileSync(
    join(project, 'loaded.cjs'),
    `const { startCluster, Refusal } = require('faultline'); console.log(startCluster.name, Refusal.name)`,
  )
  const loaded = await Promise.all([run(['loaded.mjs']), run(['loaded.cjs'])])
  expect(loaded[0]).toMatchObject({ code: 0 })
  expect(loaded[1]).toEqual(loaded[0])
})
