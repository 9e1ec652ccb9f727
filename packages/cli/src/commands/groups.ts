// faultline groups, group.
import { Refusal } from '@faultline/base'
import { type GroupReport, reportGroups } from '@faultline/client'
import { table } from '../output.ts'
import { look, type LookOptions, partitionList, silence, stillSilent } from './look.ts'

type Row = readonly (string | number)[]

export function groups(options: LookOptions): Promise<void> {
  return look(options, {
    ask: async (client) => {
      const { answers, silent } = await reportGroups(client)
      return { groups: answers.map(summary), silent }
    },
    text: ({ groups: found, silent }) => {
      if (found.length === 0 && silent.length === 0) return 'no groups yet: a consumer with a group id makes one'
      const rows = found.map((g): Row => [
        g.groupId,
        g.type,
        g.protocolType,
        g.state,
        `broker:${g.coordinator}`,
        g.members ?? '-',
        g.lag ?? '-',
      ])
      return table(['GROUP', 'TYPE', 'PROTOCOL', 'STATE', 'COORDINATOR', 'MEMBERS', 'LAG'], rows) + silence(silent)
    },
  })
}

function summary({ groupId, type, protocolType, state, coordinator, description, lag }: GroupReport) {
  return { groupId, type, protocolType, state, coordinator, members: description?.members.length ?? null, lag }
}

export function group(groupId: string, options: LookOptions): Promise<void> {
  return look(options, {
    ask: async (client) => {
      const { answers, silent } = await reportGroups(client)
      const found = answers.find((g) => g.groupId === groupId)
      if (found) return detail(found)
      stillSilent(silent)
      throw unknownGroup(
        groupId,
        answers.map((g) => g.groupId),
      )
    },
    text: (found) => {
      const parts = [headline(found)]
      if (found.members.length > 0) parts.push(memberTable(found))
      if (found.positions.length > 0) parts.push(positionTable(found))
      return parts.join('\n\n')
    },
  })
}

function detail({ description, positions, ...group }: GroupReport) {
  const { assignor = '', members = [], epochs = null } = description ?? {}
  return { ...group, assignor, epochs, members, positions }
}

type Detail = ReturnType<typeof detail>

function unknownGroup(groupId: string, others: readonly string[]): Refusal {
  const advice =
    others.length === 0 ? 'there are no groups yet: a consumer with a group id makes one' : `there are: ${others.join(', ')}`
  return new Refusal('UNKNOWN_GROUP', `there is no group ${groupId}`, advice)
}

function headline({ groupId, type, state, assignor, epochs, coordinator, members, lag }: Detail): string {
  const head = ['GROUP', 'TYPE', 'STATE', 'ASSIGNOR', 'COORDINATOR', 'MEMBERS', 'LAG']
  const row = [groupId, type, state, assignor || '-', `broker:${coordinator}`, members.length, lag ?? '-']
  if (!epochs) return table(head, [row])
  return table([...head, 'EPOCH', 'TARGET EPOCH'], [[...row, epochs.group, epochs.assignment]])
}

function memberTable({ members, epochs }: Detail): string {
  const head = ['MEMBER', 'INSTANCE', 'CLIENT', 'HOST', 'PARTITIONS']
  const rows = members.map((m): Row => {
    const row = [m.memberId, m.instanceId ?? '-', m.clientId, m.host, partitionList(m.assigned)]
    return epochs ? [...row, partitionList(m.target ?? []), m.epoch ?? '-'] : row
  })
  return table(epochs ? [...head, 'TARGET', 'EPOCH'] : head, rows)
}

function positionTable({ positions }: Detail): string {
  const rows = positions.map((p): Row => [
    `${p.topic}-${p.partition}`,
    p.committed ?? '-',
    p.end ?? '-',
    p.lag ?? '-',
    p.owner ?? '-',
  ])
  return table(['PARTITION', 'COMMITTED', 'END', 'LAG', 'OWNER'], rows)
}
