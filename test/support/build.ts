// Tests of real processes run the bundles: they are made once, before the first test.
// @ts-expect-error a build script without types
import { bundle, isFresh } from '../../scripts/bundle.mjs'

export default async function setup(): Promise<void> {
  if (!isFresh()) await bundle()
}
