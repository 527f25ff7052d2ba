import { compileMatcher, type Matcher } from '../ip/matcher.js'
import { type SpecialPurpose, specialEntries } from '../ip/special.js'
import { lazily } from '../lib/lazily.js'
import { PROVIDERS, type Provider } from './trusted-proxies.js'

/** Addresses that say something about their owner. Compiled for the first rejection: a guard that rejects nobody does without. */
export const notableAddresses = lazily(
  (): Matcher<SpecialPurpose | Provider> =>
    compileMatcher<SpecialPurpose | Provider>([
      ...specialEntries(),
      ...PROVIDERS.flatMap((grant) => grant.prefixes.map((prefix) => ({ prefix, grant })))
    ])
)

/** What an address is set aside for; undefined where it is public. */
export const purposeAmong = (grants: readonly (SpecialPurpose | Provider)[]): SpecialPurpose | undefined =>
  grants.find((grant): grant is SpecialPurpose => Object.hasOwn(grant, 'about'))

/** The name of the provider whose address it is. */
export const providerAmong = (grants: readonly (SpecialPurpose | Provider)[]): string | undefined =>
  grants.find((grant): grant is Provider => Object.hasOwn(grant, 'prefixes'))?.name
