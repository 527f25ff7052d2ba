import { BlockList } from 'node:net'
import { compile } from '@fastify/proxy-addr'
import CidrMatcher from 'cidr-matcher'
import { IpFilter } from 'express-ipfilter'
import { ipRestriction } from 'hono/ip-restriction'
import { getIP, getMatch } from 'ip-matching'
import IPSet from 'ip-set'
import ipaddr from 'ipaddr.js'
import { createChecker } from 'is-in-subnet'
import { LRUCache } from 'lru-cache'
import { compileMatcher, createGuard, secretHeader } from 'moengage-allowlist/core'
import { cidr, type List, type ListName } from './lists.js'

export type Check = (text: string) => boolean

/** Something that tells whether an address is in a list. */
export interface Subject {
  readonly build: (list: List) => Check
  /** The lists it is measured with, where not all of them are possible or bearable. */
  readonly lists?: readonly ListName[]
  /** What a reader must know of its numbers. */
  readonly note?: string
}

export const MATCHER = 'ours: matcher'
export const VERDICT = 'ours: verdict'
export const WRONG_SECRET = 'ours: verdict, a wrong secret'
export const READING = 'reading the characters'
export const SET = 'Set.has'
export const LOOP = 'ipaddr.js loop'
export const LRU_LOOP = 'lru-cache + ipaddr.js loop'
export const HONO = 'hono ip-restriction'
export const IP_SET = 'ip-set'
export const BLOCK_LIST = 'net.BlockList'
export const IP_FILTER = 'express-ipfilter'

const TO_10K = ['real', '10k'] as const

/** Each check is a function of its own, so that none is compiled by what V8 learned of another. */
export const SUBJECTS: Record<string, Subject> = {
  [MATCHER]: {
    build: ({ entries }) => {
      const matcher = compileMatcher(entries)
      return (text) => matcher.find(text) !== 0
    }
  },
  [VERDICT]: {
    lists: ['real'],
    note: 'client IP, list, policy, verdict object, and the ledger: counters and rejected senders',
    build: () => {
      const guard = createGuard({ dataCenters: 'all' })
      const request = { peer: '', headers: { host: 'hooks.example.com' } }
      return (text) => {
        request.peer = text
        return guard.judge(request).verified
      }
    }
  },
  [WRONG_SECRET]: {
    lists: ['real'],
    note: 'the verdict with `carriesSecret`, where every request carries a wrong secret; of verified requests it is not asked',
    build: () => {
      const guard = createGuard({
        dataCenters: 'all',
        carriesSecret: secretHeader('x-moe-token', 'shared-secret-1234567890')
      })
      // New texts, as the HTTP parser makes them.
      const wrong = Array.from({ length: 1024 }, (_, i) => Buffer.from(`wrong-secret-${10_000_000 + i}-xx`).toString())
      const headers = { host: 'hooks.example.com', 'x-moe-token': '' }
      const request = { peer: '', headers }
      let next = 0
      return (text) => {
        request.peer = text
        headers['x-moe-token'] = wrong[next++ & 1023]!
        return guard.judge(request).verified
      }
    }
  },
  [READING]: {
    note: 'adds up the character codes: no check at all',
    build: () => (text) => {
      let sum = 0
      for (let i = 0; i < text.length; i++) sum += text.charCodeAt(i)
      return sum > 0
    }
  },
  [SET]: {
    lists: ['real'],
    note: 'knows one spelling of each address, and no prefixes',
    build: ({ texts }) => {
      const set = new Set(texts)
      return (text) => set.has(text)
    }
  },
  [HONO]: {
    lists: TO_10K,
    note: 'only what its middleware does before its first await',
    build: ({ texts }) => {
      const connection = { remote: { address: '' } }
      const context = { text: () => new Response() }
      let passed = false
      const middleware = ipRestriction(
        () => connection,
        { allowList: [...texts] },
        () => new Response()
      )
      const next = async () => {
        passed = true
      }
      return (text) => {
        connection.remote.address = text
        passed = false
        middleware(context as never, next)
        return passed
      }
    }
  },
  [IP_SET]: {
    lists: TO_10K,
    note: 'an AVL tree; reads IPv4 only',
    build: ({ texts }) => {
      const set = new IPSet(texts.filter((text) => !text.includes(':')))
      return (text) => set.contains(text)
    }
  },
  'is-in-subnet': {
    lists: TO_10K,
    build: ({ texts }) => createChecker(texts.map(cidr))
  },
  'ip-matching': {
    lists: TO_10K,
    build: ({ texts }) => {
      const matches = texts.map((text) => getMatch(text))
      return (text) => {
        const address = getIP(text)!
        for (const match of matches) {
          if (match.matches(address)) return true
        }
        return false
      }
    }
  },
  '@fastify/proxy-addr': {
    lists: TO_10K,
    note: 'its compiled trust function',
    build: ({ texts }) => {
      const trusts = compile([...texts])
      return (text) => trusts(text, 0)
    }
  },
  [LOOP]: {
    lists: TO_10K,
    note: 'a parsed list, looped over: what most people write',
    build: ({ texts }) => {
      const list = parseList(texts)
      return (text) => {
        const address = ipaddr.process(text)
        for (const [network, length] of list) {
          if (address.kind() === network.kind() && address.match(network as never, length)) return true
        }
        return false
      }
    }
  },
  [LRU_LOOP]: {
    lists: TO_10K,
    note: '10,000 answers remembered',
    build: ({ texts }) => {
      const list = parseList(texts)
      const cache = new LRUCache<string, boolean>({ max: 10_000 })
      return (text) => {
        let answer = cache.get(text)
        if (answer === undefined) {
          const address = ipaddr.process(text)
          answer = list.some(
            ([network, length]) => address.kind() === network.kind() && address.match(network as never, length)
          )
          cache.set(text, answer)
        }
        return answer
      }
    }
  },
  [BLOCK_LIST]: {
    lists: TO_10K,
    build: ({ texts }) => {
      const list = new BlockList()
      for (const text of texts) {
        const [address, length] = text.split('/') as [string, string?]
        const family = text.includes(':') ? 'ipv6' : 'ipv4'
        if (length === undefined) list.addAddress(address, family)
        else list.addSubnet(address, Number(length), family)
      }
      return (text) => list.check(text, text.includes(':') ? 'ipv6' : 'ipv4')
    }
  },
  'cidr-matcher': {
    lists: TO_10K,
    build: ({ texts }) => {
      const matcher = new CidrMatcher(texts.map(cidr))
      return (text) => matcher.contains(text)
    }
  },
  [IP_FILTER]: {
    lists: ['real'],
    note: 'its middleware; at 10,000 prefixes one check takes a quarter of a second',
    build: ({ texts }) => {
      const middleware = IpFilter(texts, {
        mode: 'allow',
        log: false,
        detectIp: (request: { ip: string }) => request.ip
      })
      const request = { ip: '', url: '/' }
      let passed = false
      const next = (error?: unknown) => {
        passed = error === undefined
      }
      return (text) => {
        request.ip = text
        middleware(request, undefined, next)
        return passed
      }
    }
  }
}

/** The subjects that can be measured with a list. */
export function subjectsFor(list: ListName): string[] {
  return Object.keys(SUBJECTS).filter((name) => SUBJECTS[name]!.lists?.includes(list) ?? true)
}

function parseList(texts: readonly string[]): [ipaddr.IPv4 | ipaddr.IPv6, number][] {
  return texts.map((text) => ipaddr.parseCIDR(cidr(text)))
}
