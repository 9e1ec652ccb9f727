// Every checker, in one file each.
import type { Checker } from './checker.ts'
import { contradictory } from './contradictory.ts'
import { duplicated } from './duplicated.ts'
import { invented } from './invented.ts'
import { lost } from './lost.ts'
import { reordered } from './reordered.ts'

export const CHECKERS: readonly Checker[] = [lost, duplicated, reordered, contradictory, invented]
export type { Checked, Checker } from './checker.ts'
