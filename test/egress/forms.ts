import type { EgressFormatOptions, EgressTarget } from '../../src/core.js'

/** Every form. */
export const FORMS: readonly EgressTarget[] = ['api-firewall', 'data-api', 'dashboard', 'open-analytics']

/** What each form gets beside the addresses, as text and JSON. */
export const TICKET: Readonly<Record<EgressTarget, Omit<EgressFormatOptions, 'target'>>> = {
  'api-firewall': { categories: ['Campaigns', 'Data'] },
  'data-api': { workspace: 'ABC123', dataCenter: 'DC-01' },
  dashboard: {},
  'open-analytics': { workspace: 'ABC123', dataCenter: 'DC-01', emails: ['ada@example.com'] }
}
