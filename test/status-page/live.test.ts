import { Window } from 'happy-dom'
import t, { type Test } from 'tap'
import { createGuard } from '../../src/core.js'
import { accessTo } from '../../src/guard/guard.js'
import type { FleetStatus } from '../../src/redis.js'
import type { ShownGuard } from '../../src/status-page/facts.js'
import { live, type View } from '../../src/status-page/live.js'
import { StatusPage } from '../../src/status-page/page.js'
import { LISTED, STRANGER } from '../support/addresses.js'

interface Setup {
  readonly query?: string
  readonly clipboard?: { writeText(text: string): Promise<void> } | undefined
  readonly isTrusted?: boolean
  readonly theme?: string
  readonly fleet?: ShownGuard['fleet']
}

/** The page in a browser without a network: the script runs, and `poll` lets it update once. */
async function open(t: Test, { query = '', clipboard, isTrusted = false, theme, fleet }: Setup = {}) {
  const guard = createGuard({ dataCenters: 'DC-01' })
  const page = new StatusPage({ ...accessTo(() => guard), fleet })
  t.teardown(() => page.close())
  const window = new Window({ url: `http://127.0.0.1/status${query}` })
  t.teardown(() => window.happyDOM.close())
  const bodyOf = async (search: string) => (await page.respond(new URLSearchParams(search))).body
  // Without its script, which would be loaded.
  window.document.write((await bodyOf(query)).replace(/<script.*<\/script>/, ''))
  if (theme !== undefined) window.localStorage.setItem('moengage-theme', theme)
  const { document } = window
  let next: (() => void) | undefined
  const asked: [path: string, options: object][] = []
  const policies: string[] = []
  let answer = () => bodyOf('')
  let isHidden = false
  const view = {
    document: new Proxy(document, {
      get: (target, name) => {
        if (name === 'hidden') return isHidden
        const value = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      }
    }),
    location: window.location,
    localStorage: window.localStorage,
    navigator: clipboard === undefined ? {} : { clipboard },
    DOMParser: window.DOMParser,
    getSelection: () => document.getSelection(),
    ...(isTrusted && {
      trustedTypes: {
        createPolicy: (name: string, rules: { createHTML(text: string): string }) => {
          policies.push(name)
          return rules
        }
      }
    }),
    fetch: async (path: string, options: object) => {
      asked.push([path, options])
      return { text: answer }
    },
    setTimeout: (run: () => void, every: number) => {
      t.equal(every, 1234)
      next = run
    }
  }
  live(view as unknown as View, 1234)
  const text = (id: string) => `${document.getElementById(id)?.textContent}`.replaceAll(/\s+/g, ' ')
  const poll = async () => {
    const run = next
    next = undefined
    run?.()
    for (let i = 0; next === undefined && i < 100; i++) await new Promise((resolve) => setImmediate(resolve))
    t.ok(next !== undefined, 'the next update is due')
  }
  return {
    guard,
    document,
    text,
    poll,
    asked,
    policies,
    storage: window.localStorage,
    answerWith: (with_: () => Promise<string>) => {
      answer = with_
    },
    hide: (hidden: boolean) => {
      isHidden = hidden
    }
  }
}

const from = (peer: string) => ({ peer, headers: {} })

t.test('the page shows what happens without a reload', async (t) => {
  for (const isTrusted of [false, true]) {
    const { guard, text, poll, asked, policies } = await open(t, { query: '?ip=52.6.248.125', isTrusted })
    t.match(text('state'), /No request from MoEngage has been accepted yet/)
    t.equal(text('updated'), 'Updates itself')
    guard.judge(from(LISTED))
    guard.judge(from(STRANGER))
    await poll()
    t.match(text('state'), /All is well/)
    t.match(text('senders'), new RegExp(STRANGER.replaceAll('.', '\\.')))
    t.strictSame(asked, [['/status', { credentials: 'same-origin', redirect: 'error' }]], 'without the query')
    t.strictSame(policies, isTrusted ? ['moengage-status'] : [])
  }
})

t.test('what happens to the fleet is shown without a reload as well', async (t) => {
  const silent: FleetStatus = {
    name: 'webhooks',
    self: null,
    isSigned: false,
    trustsReports: true,
    version: 7,
    replicas: [],
    live: 0,
    current: 0,
    verified: 0,
    rejected: {},
    senders: [],
    lastVerified: [],
    overrides: [],
    lastError: 'down',
    warnings: []
  }
  let status = silent
  const { text, poll } = await open(t, { fleet: { status: async () => status } })
  t.match(text('fleet'), /could not be read: down/)
  status = { ...silent, live: 2, current: 2, lastError: null }
  await poll()
  t.match(text('fleet'), /2 servers of the fleet “webhooks” report/)
})

t.test('times are written in the zone of the reader, those of later updates too', async (t) => {
  const { guard, document, poll } = await open(t)
  guard.judge(from(LISTED))
  await poll()
  const times = [...document.querySelectorAll('time')]
  t.ok(times.length > 3)
  for (const time of times) {
    const iso = time.getAttribute('datetime')!
    const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
    t.equal(time.textContent, format.format(new Date(iso)))
    t.equal(time.title, iso)
  }
})

t.test('a part that did not change, or that the reader uses, stays', async (t) => {
  const { guard, document, text, poll } = await open(t)
  guard.judge(from(LISTED))
  await poll()
  const [list, details] = [document.getElementById('list-body')!.firstChild, document.querySelector('#matrix details')!]
  const scroll = document.querySelector('#matrix .scroll') as unknown as { focus(): void; scrollLeft: number }
  details.setAttribute('open', '')
  scroll.scrollLeft = 40
  guard.judge(from(LISTED))
  await poll()
  t.equal(document.getElementById('list-body')!.firstChild, list, 'the list is the same')
  t.ok(document.querySelector('#matrix details')!.hasAttribute('open'), 'what was opened is open')
  t.equal((document.querySelector('#matrix .scroll') as unknown as { scrollLeft: number }).scrollLeft, 40)
  t.match(text('matrix'), /Connector Campaigns2/)
  ;(document.querySelector('#matrix .scroll') as unknown as { focus(): void }).focus()
  guard.judge(from(LISTED))
  await poll()
  t.match(text('matrix'), /Connector Campaigns2/, 'focused')
  ;(document.activeElement as unknown as { blur(): void }).blur()
  document.getSelection()!.selectAllChildren(document.querySelector('#matrix p')!)
  await poll()
  t.match(text('matrix'), /Connector Campaigns2/, 'selected')
  document.getSelection()!.removeAllRanges()
  await poll()
  t.match(text('matrix'), /Connector Campaigns3/)
})

t.test('a server that does not answer, or answers with a login, is said, and asked again', async (t) => {
  const { guard, text, poll, answerWith } = await open(t)
  const answers: [what: string, answer: () => Promise<string>][] = [
    ['nothing', () => Promise.reject(new Error('down'))],
    ['a login', async () => '<form><input name=password></form>']
  ]
  guard.judge(from(LISTED))
  for (const [what, answer] of answers) {
    answerWith(answer)
    await poll()
    t.match(text('updated'), /does not answer/, what)
    t.match(text('state'), /No request from MoEngage has been accepted yet/)
  }
})

t.test('a guard that lost a part of the page keeps what is there', async (t) => {
  const { text, poll, answerWith } = await open(t)
  answerWith(async () => '<p id="updated"></p><div id="state" data-live>Another</div>')
  await poll()
  t.equal(text('state'), 'Another')
  t.match(text('answers'), /Did MoEngage call/)
  t.equal(text('updated'), 'Updates itself')
})

t.test('a page in the background asks nothing', async (t) => {
  const { poll, asked, hide } = await open(t)
  hide(true)
  await poll()
  t.strictSame(asked, [])
  hide(false)
  await poll()
  t.equal(asked.length, 1)
})

t.test('rules are copied, or selected where there is no clipboard', async (t) => {
  const copied: string[] = []
  const clipboards: [what: string, clipboard: Setup['clipboard'], said: string][] = [
    ['a clipboard', { writeText: async (text) => void copied.push(text) }, 'Copied'],
    ['none', undefined, 'Selected: copy it with the keyboard'],
    [
      'a clipboard that refuses',
      { writeText: () => Promise.reject(new Error('no')) },
      'Selected: copy it with the keyboard'
    ]
  ]
  for (const [what, clipboard, said] of clipboards) {
    const { document, text } = await open(t, { query: '?format=nginx', clipboard })
    const button = document.querySelector('[data-copy]') as unknown as { hidden: boolean; click(): void }
    t.equal(button.hidden, false, 'the button is there')
    button.click()
    await new Promise((resolve) => setImmediate(resolve))
    t.equal(text('copied'), said, what)
    if (said !== 'Copied') t.match(`${document.getSelection()}`, /deny all;/)
  }
  t.match(
    copied,
    [/^# .*\nallow 52\.6\.248\.125\/32;.*\ndeny all;\n$/s].map((text) => text)
  )
})

t.test('the theme is remembered', async (t) => {
  const { document, storage } = await open(t)
  const choose = (id: string) => document.getElementById(id) as unknown as { checked: boolean; click(): void }
  t.ok(choose('theme-auto').checked)
  choose('theme-dark').click()
  t.equal(storage.getItem('moengage-theme'), 'theme-dark')
  const again = await open(t, { theme: 'theme-light' })
  t.ok((again.document.getElementById('theme-light') as unknown as { checked: boolean }).checked)
})
