// Regular expressions that clients send, in RE2's syntax as Kafka has them: matching takes time in proportion to the text.
import { RE2JS, RE2JSSyntaxException } from 're2js'

/** What keeps compiling one expression below a fifth of a second. */
export const MAX_REGEX_LENGTH = 4096
const MAX_WORK = 16_384

/** Or what is wrong with it. */
export function compileRegex(regex: string): RE2JS | string {
  if (regex.length > MAX_REGEX_LENGTH || regex.length * largestCount(regex) > MAX_WORK) return 'expression too large'
  try {
    return RE2JS.compile(regex)
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error
    return error.getDescription()
  }
}

/** Counted repetitions are written out when an expression is compiled; nested ones do not multiply beyond a thousand. */
function largestCount(regex: string): number {
  const counts = [...regex.matchAll(/\d+(?=[\d,]*\})/g)].map(([digits]) => Number(digits))
  return counts.reduce((a, b) => Math.max(a, b), 1)
}
