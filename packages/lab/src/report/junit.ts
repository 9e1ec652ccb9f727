// The verdict as JUnit's XML, for machines that show test results: a case for each expectation, one for the whole.
import type { Verdict } from '../run/verdict.ts'

export function junitOf(name: string, verdict: Verdict): string {
  const cases = verdict.expectations.map(({ expectation, status, found, limit, examples }) => {
    const text = [`${found}, expected ${limit}`, ...examples].join('\n')
    return testCase(name, expectation, status === 'met' ? '' : status === 'broken' ? failure(text) : skipped(text))
  })
  const whole = verdict.outcome === 'inconclusive' ? skipped(verdict.reasons.join('\n')) : ''
  const all = [...cases, testCase(name, 'conclusive', whole)]
  const failures = all.filter((c) => c.includes('<failure')).length
  const skips = all.filter((c) => c.includes('<skipped')).length
  const head = `<testsuite name="${escape(name)}" tests="${all.length}" failures="${failures}" errors="0" skipped="${skips}">`
  return `<?xml version="1.0" encoding="UTF-8"?>\n${head}\n${all.join('\n')}\n</testsuite>\n`
}

function testCase(suite: string, name: string, inner: string): string {
  return `  <testcase classname="${escape(suite)}" name="${escape(name)}">${inner}</testcase>`
}

function failure(text: string): string {
  return `<failure message="${escape(text.split('\n')[0]!)}">${escape(text)}</failure>`
}

function skipped(text: string): string {
  return `<skipped message="${escape(text.split('\n')[0] ?? '')}"/>`
}

function escape(text: string): string {
  // oxlint-disable-next-line no-control-regex -- XML has no way to write them
  const printable = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '?')
  return printable.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')
}
