import type { Person } from './person'

/** Whether somebody looks at a page; to be set up before it is opened. A browser of the tests always has the focus. */
export async function canLookAway({ page }: Person): Promise<void> {
  await page.addInitScript(() => {
    const looks = { isHidden: false, isElsewhere: false }
    Object.assign(window, { looks })
    const isVisible = () => !looks.isHidden
    Object.defineProperty(document, 'visibilityState', {
      configurable: true,
      get: () => (isVisible() ? 'visible' : 'hidden'),
    })
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => !isVisible() })
    document.hasFocus = () => isVisible() && !looks.isElsewhere
  })
}

/** `hidden`: another tab is in front. `elsewhere`: another window has the focus. */
export async function look({ page }: Person, how: 'here' | 'hidden' | 'elsewhere'): Promise<void> {
  await page.evaluate((now) => {
    const { looks } = window as unknown as { looks: { isHidden: boolean; isElsewhere: boolean } }
    looks.isHidden = now === 'hidden'
    looks.isElsewhere = now !== 'here'
    document.dispatchEvent(new Event('visibilitychange'))
    window.dispatchEvent(new Event(now === 'here' ? 'focus' : 'blur'))
  }, how)
}
