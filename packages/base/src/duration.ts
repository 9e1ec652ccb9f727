// Times as a person writes them: "500ms", "30s", "2m", or milliseconds as a number.

const MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** In milliseconds; NaN for what is no time in one of `units`. */
export function durationMs(value: string | number, units: readonly ('ms' | 's' | 'm' | 'h')[]): number {
  const [, number, unit = 'ms'] = /^(\d+(?:\.\d+)?)([a-z]+)?$/.exec(String(value)) ?? []
  return number === undefined || !units.includes(unit as 'ms') ? Number.NaN : Number(number) * MS[unit]!
}
