// Every kind of fault on processes of this machine. What is told of one kind at length is in the files beside (test/fault-kinds.test.ts knows
// where each kind is).
import { startCluster } from '@faultline/director'
import { showEveryKind } from '../kinds/index.ts'
import { DIST } from '../support/cluster.ts'

showEveryKind(async () => {
  const { cluster: control, bootstrap, stop } = await startCluster({ brokers: 3, controllers: 1, proxied: true }, DIST)
  return { control, bootstrap, stop }
})
