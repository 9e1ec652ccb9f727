// Who a group's request comes from, as the coordinator keeps it.
import type { GroupClient } from '@faultline/coordinator'
import type { RequestContext } from '../api/handler.ts'

export function groupClient({ version, clientId, remote }: RequestContext): GroupClient {
  return { version, clientId: clientId ?? '', clientHost: `/${remote.slice(0, remote.lastIndexOf(':'))}` }
}
