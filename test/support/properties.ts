/** The number of cases that most properties are written for. */
const USUAL = 2_000

/** A number that grows with the number of cases, such as how often a kind of case has to be met at least. */
export const scaled = (count: number) => (count * Number(process.env.FC_RUNS ?? USUAL)) / USUAL

/**
 * How often a property is tried, for `fc.assert`: the same cases on every run.
 *
 * `FC_RUNS` scales all properties alike: with 1,000,000, one that is tried 2,000 times is tried a million times, and a costly one
 * that is tried 60 times, 30,000 times. `FC_SEED` chooses other cases.
 */
export const runs = (numRuns: number) => ({
  numRuns: Math.ceil(scaled(numRuns)),
  seed: Number(process.env.FC_SEED ?? 20261123)
})
