import type { BrowserContext, Locator, Page } from 'playwright-core'

export interface Session {
  token: string
  userId: string
  name: string
}

/** What Chromium says of a page that is left, or loaded again, before its connection stands. */
const BY_LEAVING = /WebSocket is closed before the connection is established/

/** Somebody at a browser of their own, and what they can do on the page and see there. */
export class Person {
  readonly page: Page
  readonly context: BrowserContext
  readonly #problems: string[] = []
  readonly #expected: RegExp[] = []

  constructor(page: Page, context: BrowserContext) {
    this.page = page
    this.context = context
    page.on('console', (message) => {
      if (BY_LEAVING.test(message.text())) return
      if (message.type() === 'error' || message.type() === 'warning') {
        this.#problems.push(`${message.text()} (${message.location().url})`)
      }
    })
    page.on('pageerror', (error) => this.#problems.push(String(error)))
  }

  /** What the browser complained about, without what the test has foreseen. */
  get problems(): string[] {
    return this.#problems.filter((each) => !this.#expected.some((known) => known.test(each)))
  }

  foresee(...complaints: RegExp[]): void {
    this.#expected.push(...complaints)
  }

  /** A server that is away makes the browser complain about each attempt to reach it. */
  foreseeOutage(): void {
    this.foresee(/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/)
    this.foresee(/WebSocket connection to .* failed/)
  }

  async signIn(name: string, path = '/'): Promise<void> {
    await this.page.goto(path)
    await this.page.locator('input').fill(name)
    await this.page.locator('input').press('Enter')
    await this.newChatButton('Echo').waitFor()
  }

  newChatButton(character: string): Locator {
    return this.page.locator('nav button').filter({ hasText: character })
  }

  /** Starts a room with a character; returns the address to share. */
  async startChat(character = 'Echo'): Promise<string> {
    await this.newChatButton(character).click()
    await this.page.waitForURL(/#\/room\//)
    await this.composer.waitFor()
    return this.page.url()
  }

  /** Shows what can be set, below the list of chats. */
  async openSettings(): Promise<void> {
    await this.page.getByRole('button', { name: /^(Settings|설정)$/ }).click()
  }

  async open(address: string): Promise<void> {
    await this.page.goto(address)
    await this.composer.waitFor()
  }

  get composer(): Locator {
    return this.page.locator('textarea')
  }

  async say(text: string): Promise<void> {
    await this.composer.fill(text)
    await this.composer.press('Enter')
  }

  /** The messages on the page, optionally of one state. */
  messages(state?: 'streaming' | 'complete' | 'stopped' | 'failed' | 'interrupted'): Locator {
    const which = state ? `[data-state="${state}"]` : '[data-state]'
    return this.page.locator(`[data-message-id]${which}`)
  }

  message(text: string): Locator {
    return this.page.locator('[data-message-id]').getByText(text, { exact: true })
  }

  /** The notice at the top of a page that has lost the server. */
  get banner(): Locator {
    return this.page.locator('.rejoinder-banner')
  }

  get dialog(): Locator {
    return this.page.getByRole('dialog')
  }

  /** What the composer says about messages that are not sent yet. */
  get outboxNote(): Locator {
    return this.page.locator('form [role="status"]').first()
  }

  /** Messages on their way. */
  get pending(): Locator {
    return this.page.locator('.rejoinder-message-status[data-status="pending"]')
  }

  get retryButton(): Locator {
    return this.page.getByRole('button', { name: 'Send again' })
  }

  get conversation(): Locator {
    return this.page.getByRole('region', { name: /^(Conversation|대화 내용)$/ })
  }

  distanceToBottom(): Promise<number> {
    return this.conversation.evaluate((box) => box.scrollHeight - box.clientHeight - box.scrollTop)
  }

  /** The texts of the messages, top to bottom. */
  texts(): Promise<string[]> {
    return this.page.locator('[data-message-id] .md').allInnerTexts()
  }

  /** The page in words: where it is, who is signed in, what it shows, what the browser complained about. */
  async describe(): Promise<string> {
    const { page } = this
    const [shown = ''] = await page.locator('body').allInnerTexts()
    const kept = await page.evaluate(() => localStorage.getItem('rejoinder.session'))
    return [page.url(), kept ?? 'nobody', shown.slice(-2_000), ...this.#problems].join('\n')
  }

  async session(): Promise<Session> {
    const stored = await this.page.evaluate(() => localStorage.getItem('rejoinder.session'))
    return JSON.parse(stored ?? 'null') as Session
  }
}
