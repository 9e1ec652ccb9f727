// Who sees what a condition speaks of.
import { parseCondition, SUBJECTS } from '@faultline/fault'

export function vantageOf(when: string): 'broker' | 'controller' {
  const [comparison] = parseCondition(when)
  return SUBJECTS[comparison!.subject]!.vantage
}
