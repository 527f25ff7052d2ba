/** The median of many measurements, with the quartiles around it. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

export function spread(samples: readonly number[]): Spread {
  const sorted = [...samples].sort((a, b) => a - b)
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) }
}

export function median(samples: readonly number[]): number {
  return spread(samples).median
}

function quantile(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? Number.NaN
  return below + (above - below) * (place - Math.floor(place))
}

/** The cost of one thing relative to another, measured in the same rounds: the spread of the ratios of the rounds. */
export function ratio(dividend: readonly number[], divisor: readonly number[]): Spread {
  return spread(dividend.map((value, round) => value / divisor[round]!))
}
