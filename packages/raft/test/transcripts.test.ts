// Plays the stories in test/transcripts/ and compares them, line by line, with what is written there. RAFT_TRANSCRIPTS=write rewrites
// them: keep a change only if you understand what caused it and want it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Script } from './script.ts'

const FOLDER = join(import.meta.dirname, 'transcripts')

/** Comments, blank lines and commands stay; what follows a command is what it leads to. */
function play(story: string): string {
  const script = new Script()
  const out: string[] = []
  for (const line of story.split('\n')) {
    if (line === '' || line.startsWith('#')) out.push(line)
    if (line.startsWith('> ')) out.push(line, ...script.run(line.slice(2)))
  }
  return out.join('\n')
}

describe('transcript', () => {
  for (const name of readdirSync(FOLDER).filter((each) => each.endsWith('.txt')))
    it(name.replace('.txt', '').replaceAll('-', ' '), () => {
      const path = join(FOLDER, name)
      const written = readFileSync(path, 'utf8')
      const played = play(written)
      if (process.env.RAFT_TRANSCRIPTS === 'write') writeFileSync(path, played)
      else expect(played).toBe(written)
    })
})
