/** Strangers, by parts of the address space: trusting every address of one part means trusting the internet. */
const STRANGERS = [
  ['1.1.1.1', '9.9.9.9', '100.1.2.3'],
  ['192.0.2.1', '198.51.100.1', '203.0.113.1'],
  ['2001:db8::1', '2001:db8:ffff::1']
] as const

/** Whether a framework believes the forwarded header of strangers, probed with addresses that are made up. */
export function trustsStrangers(trusts: (address: string) => boolean): boolean {
  return STRANGERS.some((family) => family.every(trusts))
}
