/** Milliseconds between two updates. */
const EVERY = 5000

/** The parts of an element that the script uses. */
export interface PageElement {
  readonly id: string
  readonly innerHTML: string
  readonly childNodes: Iterable<unknown>
  readonly dataset: Readonly<Record<string, string | undefined>>
  textContent: string | null
  title: string
  hidden: boolean
  open: boolean
  checked: boolean
  scrollLeft: number
  contains(other: unknown): boolean
  getAttribute(name: string): string | null
  querySelectorAll(selector: string): Iterable<PageElement>
  replaceChildren(...nodes: unknown[]): void
  addEventListener(event: string, listener: () => void): void
}

/** The parts of a document that the script uses. */
interface PageDocument extends Pick<PageElement, 'querySelectorAll'> {
  readonly hidden: boolean
  readonly activeElement: unknown
  getElementById(id: string): PageElement | null
}

/** The parts of a browser's `window` that the script uses. */
export interface View {
  readonly document: PageDocument
  readonly location: { readonly pathname: string }
  readonly localStorage: { getItem(key: string): string | null; setItem(key: string, value: string): void }
  readonly navigator: { readonly clipboard?: { writeText(text: string): Promise<void> } }
  readonly trustedTypes?: { createPolicy(name: string, rules: object): { createHTML(text: string): string } }
  readonly DOMParser: new () => { parseFromString(text: string, type: 'text/html'): PageDocument }
  fetch(path: string, options: object): Promise<{ text(): Promise<string> }>
  getSelection(): { isCollapsed: boolean; readonly anchorNode: unknown; selectAllChildren(node: unknown): void } | null
  setTimeout(run: () => void, milliseconds: number): unknown
}

/**
 * What the page does in a browser beyond HTML: it updates itself, writes times in the reader's zone, copies rules, and remembers the
 * theme. It is served as its own text, so it uses nothing from outside of itself.
 */
export function live(view: View, every: number): void {
  const { document } = view
  // The server escapes what it sends; this page adds nothing to it.
  const trusted = view.trustedTypes?.createPolicy('moengage-status', { createHTML: (text: string) => text })
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
  const shown = new Map<string, string>()

  function showTimes(part: Pick<PageElement, 'querySelectorAll'>): void {
    for (const time of part.querySelectorAll('time')) {
      const iso = time.getAttribute('datetime') as string
      time.textContent = format.format(new Date(iso))
      time.title = iso
    }
  }

  /** Whether the reader is at work in a part: what is focused or selected stays. */
  function isInUse(part: PageElement): boolean {
    const selection = view.getSelection()
    const isSelected = selection !== null && !selection.isCollapsed && part.contains(selection.anchorNode)
    return isSelected || part.contains(document.activeElement)
  }

  function update(part: PageElement, next: PageElement): void {
    const details = [...part.querySelectorAll('details')].map(({ open }) => open)
    const scrolled = [...part.querySelectorAll('.scroll')].map(({ scrollLeft }) => scrollLeft)
    part.replaceChildren(...next.childNodes)
    showTimes(part)
    for (const [i, element] of [...part.querySelectorAll('details')].entries()) element.open = details[i] ?? false
    for (const [i, element] of [...part.querySelectorAll('.scroll')].entries()) element.scrollLeft = scrolled[i] ?? 0
  }

  async function poll(): Promise<void> {
    const updated = document.getElementById('updated') as PageElement
    try {
      const response = await view.fetch(view.location.pathname, { credentials: 'same-origin', redirect: 'error' })
      const text = await response.text()
      const next = new view.DOMParser().parseFromString(trusted?.createHTML(text) ?? text, 'text/html')
      if (next.getElementById('updated') === null) throw new Error('The answer is another page.')
      for (const part of document.querySelectorAll('[data-live]')) {
        const other = next.getElementById(part.id)
        if (other === null || other.innerHTML === shown.get(part.id) || isInUse(part)) continue
        shown.set(part.id, other.innerHTML)
        update(part, other)
      }
      updated.textContent = 'Updates itself'
    } catch {
      updated.textContent = 'The server does not answer; this is what it said last'
    }
  }

  function keepPolling(): void {
    view.setTimeout(() => {
      const polled = document.hidden ? Promise.resolve() : poll()
      polled.then(keepPolling)
    }, every)
  }

  function rememberTheme(): void {
    for (const choice of document.querySelectorAll('[name=theme]')) {
      choice.addEventListener('change', () => view.localStorage.setItem('moengage-theme', choice.id))
    }
    const last = document.getElementById(`${view.localStorage.getItem('moengage-theme')}`)
    if (last !== null) last.checked = true
  }

  function copyBy(button: PageElement): void {
    const [text, copied] = [button.dataset.copy, 'copied'].map((id) => document.getElementById(`${id}`))
    button.hidden = false
    button.addEventListener('click', () => {
      const select = () => {
        view.getSelection()?.selectAllChildren(text)
        copied!.textContent = 'Selected: copy it with the keyboard'
      }
      // A browser has a clipboard only for HTTPS and this machine.
      const { clipboard } = view.navigator
      if (clipboard === undefined) return select()
      clipboard.writeText(`${text!.textContent}`).then(() => {
        copied!.textContent = 'Copied'
      }, select)
    })
  }

  for (const part of document.querySelectorAll('[data-live]')) shown.set(part.id, part.innerHTML)
  showTimes(document)
  rememberTheme()
  for (const button of document.querySelectorAll('[data-copy]')) copyBy(button)
  ;(document.getElementById('updated') as PageElement).textContent = 'Updates itself'
  keepPolling()
}

/** The text of the script: the function above, called with the browser's own objects. */
export const SCRIPT = `(${live})(window, ${EVERY})\n`
