/** What the body of an answer says about who refused a call. */
export interface RefusalExplanation {
  /** `data-api` where the body is the one that MoEngage documents for it; null where no document names the body. */
  readonly mechanism: 'data-api' | null
  /** One sentence. */
  readonly summary: string
  /** What follows from the body, a sentence each. */
  readonly shows: readonly string[]
  /** What does not follow from it, a sentence each. */
  readonly doesNotShow: readonly string[]
}

/** As the page on IP whitelisting documents it. */
const DOCUMENTED = { error: 'IP Validation Required', message: 'IP Validation Failed. Please check your IP!!' }

const ENFORCED =
  'That a list is enforced: MoEngage also answers 403 for other reasons, and does not state the body for each of them.'

/** Explains the body of a 403 with which a call to MoEngage was answered. */
export function explainRefusal(body: string): RefusalExplanation {
  const { error, message } = parsed(body)
  const isError = error === DOCUMENTED.error
  const isMessage = message === DOCUMENTED.message
  if (isError && isMessage) {
    return {
      mechanism: 'data-api',
      summary:
        'The Data API whitelisting of the workspace refused the call: the address that MoEngage saw is not on its list.',
      shows: [
        'The whitelisting of all Data APIs is enabled for the workspace that was called.',
        'MoEngage saw another address than those that its support has entered: a NAT gateway, a proxy, a host with another route, or a list that has aged.'
      ],
      doesNotShow: [
        "Which address MoEngage saw: the body does not name it. 'moengage-allowlist egress verify' shows what this machine sends from.",
        'That the key and the data are right: the address may have been checked first.',
        'Anything about the API Firewall, the dashboard or Open Analytics: they have lists of their own.'
      ]
    }
  }
  if (isError || isMessage) {
    return {
      mechanism: 'data-api',
      summary:
        'This is probably the Data API whitelisting: one of the two texts that MoEngage documents for it is there.',
      shows: ['MoEngage checks addresses for the workspace that was called, and refused the one that it saw.'],
      doesNotShow: ['Which mechanism it was for certain: MoEngage may have changed the words, or uses them elsewhere.']
    }
  }
  if (/^\s*</.test(body)) {
    return {
      mechanism: null,
      summary: 'This is a page of HTML, and no body that MoEngage documents is.',
      shows: [
        'Something on the way may have answered: your own forward proxy or firewall, or a server in front of MoEngage.'
      ],
      doesNotShow: ['That MoEngage refused the call: look at who signs the page and at the log of your proxy.']
    }
  }
  return {
    mechanism: null,
    summary: 'MoEngage documents no body like this one, so it does not show which mechanism refused the call.',
    shows: ['It is not the body that is documented for the Data API whitelisting.'],
    doesNotShow: [
      'That it was the API Firewall: the body of its 403 is not stated. Look at the rules that are published for the category of the API.',
      'That it was not: a published rule for the category refuses every other address.',
      ENFORCED
    ]
  }
}

function parsed(body: string): { readonly error?: unknown; readonly message?: unknown } {
  try {
    return JSON.parse(body) ?? {}
  } catch {
    return {}
  }
}
