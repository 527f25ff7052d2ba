/** What we use of the peers that bring no types. */

declare module 'ip-set' {
  export default class IPSet {
    constructor(blocks: readonly string[])
    contains(address: string): boolean
  }
}

declare module 'cidr-matcher' {
  export default class Matcher {
    constructor(prefixes: readonly string[])
    contains(address: string): boolean
  }
}

declare module 'express-ipfilter' {
  interface Options {
    mode: 'allow' | 'deny'
    log: boolean
    logF?: (message: string) => void
    trustProxy?: readonly string[]
    detectIp?: (request: never) => string
  }
  export function IpFilter(
    addresses: readonly string[],
    options: Options
    // biome-ignore lint/suspicious/noExplicitAny: it is handed Express requests and our stand-ins alike
  ): (request: any, response: any, next: (error?: unknown) => void) => void
}
