// Whether the shell finds what a command begins with: the one mistake that can be seen before anything is started.
import { spawnSync } from 'node:child_process'
import { Refusal } from '@faultline/base'

/** Throws Refusal. A command that begins with anything but a plain name is for the shell to understand. */
export function checkCommand(command: string): void {
  const [, name] = /^\s*(?:\w+=\S*\s+)*([\w./+@:-]+)(?=\s|$)/.exec(command) ?? []
  if (name === undefined) return
  const { status } = spawnSync('/bin/sh', ['-c', 'command -v -- "$1"', 'sh', name], { stdio: 'ignore' })
  if (status === 0) return
  const advice = name.includes('/') ? 'is the path right, from here, and may it be run?' : 'is it installed, and on the PATH?'
  throw new Refusal('BAD_ARGUMENT', `there is no program ${name}, with which "${command.trim()}" begins`, advice)
}
