import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import t from 'tap'
import { loadGuard } from '../../src/core.js'
import { redisFleet } from '../../src/redis.js'
import { nodeStatusPage } from '../../src/status-page.js'
import { line } from '../report/lines.js'
import { LISTED, LISTED_IN, STRANGER } from '../support/addresses.js'
import { run } from '../support/cli.js'
import { start } from '../support/example.js'
import { FakeRedis } from '../support/fake-redis.js'
import { listenTo, send } from '../support/http.js'
import { launch, missing, openPage } from './chromium.js'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe-core finds. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
    }
    const found = await axe.run()
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
  })
}

/** Elements that are wider than the window, but for parts that scroll. */
const tooWide = `[...document.querySelectorAll('body *')]
  .filter((element) => !element.closest('.scroll, pre, .hidden') && element.getBoundingClientRect().right > innerWidth + 1)
  .map((element) => element.outerHTML.slice(0, 100))`

t.test('the page in Chromium', { skip: missing(), timeout: 170_000 }, async (t) => {
  const { port } = await start(t, 'webhook-server')
  const browser: Browser = await launch()
  t.teardown(() => browser.close())
  const url = `http://127.0.0.1:${port}/status`
  const post = (path: string, clientIp: string) =>
    send({ port }, { method: 'POST', path, headers: { 'x-forwarded-for': clientIp } })

  await t.test('shows a genuine and a foreign request without a reload', async (t) => {
    const { page, faults } = await openPage(t, browser, url)
    await page.getByText('No request from MoEngage has been accepted yet').waitFor()
    await page.evaluate('window.isTheSame = true')
    await post('/segments', LISTED)
    await post('/segments', '185.199.108.153')
    await page.getByText('All is well: MoEngage gets through.').waitFor()
    await page.locator('#senders').getByRole('rowheader', { name: '185.199.108.153' }).waitFor()
    await page.locator('#routes').getByText('/segments').waitFor()
    t.ok(await page.evaluate('window.isTheSame'), 'the page was not loaded again')
    t.match(
      await page.locator('#routes time').first().textContent(),
      /^\d+ \w+ \d{4},? (?:at )?\d+:\d\d\s?[ap]m$/,
      'in the zone of the reader'
    )
    t.strictSame(faults, [])
  })

  await t.test('explains an address by keyboard alone', async (t) => {
    const { page, faults } = await openPage(t, browser, url)
    const focused = () => page.evaluate('document.activeElement.id')
    for (let i = 0; i < 40 && (await focused()) !== 'ip'; i++) await page.keyboard.press('Tab')
    await page.keyboard.type(LISTED_IN['DC-03'])
    await page.keyboard.press('Enter')
    await page.locator('#explanation').getByText('other-data-center').first().waitFor()
    t.match(page.url(), /\?ip=3\.6\.251\.95#explain$/)
    t.strictSame(faults, [])
  })

  await t.test('copies the rules for nginx', async (t) => {
    const { page, faults, context } = await openPage(t, browser, url)
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.getByLabel('Format').selectOption('nginx')
    await page.getByRole('button', { name: 'Show' }).click()
    await page.getByRole('button', { name: 'Copy' }).click()
    await page.getByText('Copied').waitFor()
    t.match(await page.evaluate('navigator.clipboard.readText()'), /\nallow 52\.6\.248\.125\/32;.*\ndeny all;\n$/s)
    t.strictSame(faults, [])
  })

  await t.test('switches the theme, and remembers it', async (t) => {
    const { page, faults } = await openPage(t, browser, url, { colorScheme: 'light' })
    const paper = () => page.evaluate('getComputedStyle(document.documentElement).backgroundColor')
    t.equal(await paper(), 'rgb(255, 255, 255)')
    await page.getByLabel('dark', { exact: true }).check()
    t.equal(await paper(), 'rgb(20, 24, 29)')
    await page.reload()
    t.equal(await paper(), 'rgb(20, 24, 29)')
    await page.getByLabel('light', { exact: true }).check()
    t.equal(await paper(), 'rgb(255, 255, 255)')
    t.strictSame(faults, [])
  })

  await t.test('says the same without JavaScript, in UTC', async (t) => {
    const withScript = await openPage(t, browser, url)
    const without = await openPage(t, browser, url, { javaScriptEnabled: false })
    const textOf = async ({ page }: { page: Page }) => {
      const text = await page.locator('main').innerText()
      return text
        .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d UTC|\d+ \w+ \d{4},? (?:at )?\d+:\d\d\s?[ap]m/g, 'TIME')
        .replaceAll(/\b\S+ (?:minutes?|hours?) ago|less than a minute ago/g, 'AGO')
    }
    t.equal(await textOf(without), await textOf(withScript))
    t.match(await without.page.locator('time').first().innerText(), /UTC$/)
    t.match(await without.page.locator('footer').innerText(), /Reload the page to update it/)
    await without.page.getByLabel('dark', { exact: true }).check()
    await without.page.getByLabel('IP address').fill(STRANGER)
    await without.page.getByRole('button', { name: 'Explain' }).click()
    await without.page.locator('#explanation').getByText('is rejected').waitFor()
    t.strictSame([withScript.faults, without.faults], [[], []])
  })

  await t.test('is accessible and no wider than the window, in both themes and at every width', async (t) => {
    await post('/segments', LISTED_IN['DC-03'])
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [320, 768, 1280, 3840]) {
        const { page } = await openPage(t, browser, `${url}?ip=52.6.248.126&format=nginx`, {
          colorScheme,
          viewport: { width, height: 900 }
        })
        for (const summary of await page.locator('summary').all()) await summary.click()
        t.strictSame(await page.evaluate(tooWide), [], `${colorScheme}, ${width} px`)
        t.strictSame(await violations(page), [], `${colorScheme}, ${width} px`)
      }
    }
  })

  await t.test('is accessible with a fleet and overrides as well', async (t) => {
    const redis = new FakeRedis()
    const guards = await Promise.all(
      [1, 2].map(() =>
        loadGuard({
          dataCenters: 'DC-01',
          fleet: redisFleet({ client: redis.io(), name: 'webhooks', poll: 100, timeout: 50, report: '1s' })
        })
      )
    )
    const guard = guards[0]!
    for (const peer of [LISTED, STRANGER, '185.199.108.153']) guard.judge({ peer, headers: {} })
    guard.override({ deny: [STRANGER], for: '2h', note: 'ticket 4711' })
    const own = await listenTo(t, nodeStatusPage({ guard, public: true }))
    t.teardown(() => {
      for (const each of guards) each.close()
    })
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, faults } = await openPage(t, browser, `http://127.0.0.1:${own.port}/`)
      await page.emulateMedia({ colorScheme })
      await page.locator('#fleet tbody tr:nth-child(2)').waitFor()
      t.strictSame(await violations(page), [], colorScheme)
      t.strictSame(await page.evaluate(tooWide), [], colorScheme)
      t.strictSame(faults, [])
    }
  })

  await t.test('is refused to a request that came through the proxy, and under another name', async (t) => {
    for (const path of ['/status', '/metrics']) {
      for (const headers of [
        { 'x-forwarded-for': LISTED },
        { forwarded: 'for=1.1.1.1' },
        { host: 'evil.example' }
      ] as Record<string, string>[]) {
        t.equal((await send({ port }, { path, headers })).status, 403, `${path} ${Object.keys(headers)}`)
      }
    }
  })

  await t.test('a report opens from the disk, and is accessible', async (t) => {
    const folder = t.testdir({
      'app.log': [line(), line({ reason: 'other-data-center', clientIp: LISTED_IN['DC-03'] })].join('\n')
    })
    const file = join(folder, 'report.html')
    t.equal((await run(['report', join(folder, 'app.log'), '--html', file])).code, 0)
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, faults } = await openPage(t, browser, `${pathToFileURL(file)}`, {
        colorScheme,
        javaScriptEnabled: true
      })
      await page.getByText('probably genuine').waitFor()
      t.not(
        await page.evaluate('getComputedStyle(document.querySelector(".state")).backgroundColor'),
        'rgba(0, 0, 0, 0)',
        'the style is applied'
      )
      t.strictSame(faults, [])
      t.strictSame(await violations(page), [], colorScheme)
    }
  })
})
