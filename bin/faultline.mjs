#!/usr/bin/env node
// The command. Its code is bundled in dist/, made at install, or here when it is missing or older than the sources.
import { createRequire } from 'node:module'
import { bundle, isFresh } from '../scripts/bundle.mjs'

if (!isFresh()) await bundle()
createRequire(import.meta.url)('../dist/cli.cjs')
