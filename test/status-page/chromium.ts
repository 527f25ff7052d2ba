import { spawnSync } from 'node:child_process'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'

const EXECUTABLE = '/usr/bin/chromium'
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]

/** Starts the real Chromium, with a profile of its own. */
export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: FLAGS })
}

/** Why tests with Chromium are left out, if they are. */
export function missing(): string | false {
  if (process.env.REAL_PROXIES === 'required' || spawnSync(EXECUTABLE, ['--version']).status === 0) return false
  const reason = 'tests with the real chromium left out: it cannot be run here'
  console.error(`# ${reason}`)
  return reason
}

/** Opens a page; whatever it writes to the console and every request that fails is a fault, and so is a request to elsewhere. */
export async function openPage(t: Test, browser: Browser, url: string, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({ locale: 'en-IN', timezoneId: 'Asia/Kolkata', ...options })
  t.teardown(() => context.close())
  const page: Page = await context.newPage()
  const faults: string[] = []
  page.on('console', (message) => faults.push(`console: ${message.text()}`))
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`))
  page.on('requestfailed', (request) => faults.push(`failed: ${request.url()}`))
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin && !request.url().startsWith('data:')) {
      faults.push(`elsewhere: ${request.url()}`)
    }
  })
  await page.goto(url)
  return { page, faults, context }
}
