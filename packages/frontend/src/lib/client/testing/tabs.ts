import { type ConnectionSettings, defaultConnectionSettings } from '../connection/settings'
import type { OpenLine } from '../outbox/news'
import { localTurns, type Turn, type Turns } from '../outbox/turns/turns'
import type { TabMessage } from '../tabs/messages'
import type { PageHandlers, PageLife } from '../tabs/page'
import { SharedConnection } from '../tabs/sharedConnection'
import type { Clock } from '../time/clock'
import { tokenSubject } from '../transport/tokenSubject'
import { ManualClock, settle } from './manualClock'
import { MemoryTransport, type Sent } from './memoryTransport'

export function tokenOf(userId: string): string {
  const claims = Buffer.from(JSON.stringify({ sub: userId })).toString('base64url')
  return `h.${claims}.s`
}

/** Tabs of one browser, without a browser: one may be hidden, asleep, closed or crash. */
export class TestBrowser {
  readonly clock = new ManualClock()
  readonly tabs: TestTab[] = []
  /** Everything that was said on any line, as it was said. */
  readonly said: TabMessage[] = []
  readonly #turns = localTurns()
  readonly #ends = new Map<string, Set<(message: TabMessage) => void>>()

  /** Opens a tab, connects, and lets it find the others. */
  async open(userId = 'ann', change: Partial<ConnectionSettings> = {}): Promise<TestTab> {
    const tab = this.prepare(userId, change)
    tab.connection.connect()
    await this.clock.advance(0)
    return tab
  }

  prepare(userId = 'ann', change: Partial<ConnectionSettings> = {}): TestTab {
    const tab = new TestTab(this, userId, change)
    this.tabs.push(tab)
    return tab
  }

  /** The tabs that have a connection of their own. */
  get connected(): TestTab[] {
    return this.tabs.filter(({ own }) => own.isOpen)
  }

  /** The server lets a tab in; it allows a user one connection. */
  admit(tab: TestTab): void {
    for (const other of this.connected) {
      if (other === tab || other.own.userId !== tab.own.userId) continue
      other.lose()
    }
    tab.own.accept()
  }

  turnsOf(name: string): Turns {
    return {
      take: (turn, handlers) => this.#turns.take(`${name}:${turn}`, handlers),
      isFree: (turn) => this.#turns.isFree(`${name}:${turn}`),
    }
  }

  lineOf(name: string): OpenLine<TabMessage> {
    const ends = this.#ends.get(name) ?? new Set()
    this.#ends.set(name, ends)
    return (listen) => {
      const hear = (message: TabMessage) => listen(message)
      ends.add(hear)
      return {
        tell: (message) => {
          this.said.push(message)
          for (const end of [...ends])
            if (end !== hear) queueMicrotask(() => ends.has(end) && end(structuredClone(message)))
        },
        close: () => {
          ends.delete(hear)
        },
      }
    }
  }
}

export class TestTab {
  readonly own = new MemoryTransport()
  readonly connection: SharedConnection
  readonly heard: string[] = []
  readonly replaced: string[] = []
  /** Whether an attempt succeeds at once; else the test decides. */
  isServed = true
  /** The server gets an event. */
  serve: (sent: Sent) => void = () => undefined
  #isVisible = true
  #isAsleep = false
  #isDead = false
  #isTrying = false
  readonly #late: (() => void)[] = []
  readonly #held = new Set<Turn>()
  readonly #pages = new Set<PageHandlers>()
  readonly #closes = new Set<() => void>()

  constructor(browser: TestBrowser, userId: string, change: Partial<ConnectionSettings>) {
    this.own.server = 'http://server'
    this.own.onSent = (sent) => {
      if (sent.event !== 'heartbeat') this.serve(sent)
      else if (this.isServed) sent.reply({ success: true, timestamp: 0, serverTime: '' })
    }
    this.own.onChange(({ type }) => {
      this.#isTrying = type === 'opening'
      if (type !== 'opening') return
      this.own.userId = tokenSubject(this.own.attempts.at(-1)?.token ?? '')
      this.own.socketId = `${this.id}-${this.own.attempts.length}`
      if (this.isServed)
        queueMicrotask(() => this.#run(() => this.#isTrying && browser.admit(this)))
    })
    this.connection = new SharedConnection(
      {
        id: this.id,
        transport: this.own,
        clock: this.#clockOn(browser.clock),
        random: () => 0,
        wake: () => () => undefined,
        settings: { ...defaultConnectionSettings, ...change },
        page: this.#page(),
        commons: (name) => ({
          turns: this.#turnsOn(browser.turnsOf(name)),
          openLine: this.#lineOn(browser.lineOf(name)),
        }),
      },
      { tokens: () => Promise.resolve(tokenOf(userId)) },
    )
    this.connection.transport.onAny((event) => this.heard.push(event))
    this.connection.setHandlers({ onReplaced: ({ message }) => this.replaced.push(message) })
  }

  readonly id = `tab${Math.random()}`

  get state(): string {
    return this.connection.getSnapshot().connectionState
  }

  get channel() {
    return this.connection.transport
  }

  async show(isVisible: boolean): Promise<void> {
    this.#isVisible = isVisible
    for (const { onVisibility } of [...this.#pages]) onVisibility()
    await settle()
  }

  /** A newer connection of the same user took over, says the server; it may hear that late. */
  lose(): void {
    this.#run(() => {
      if (!this.own.isOpen) return
      this.own.push('connection:replaced', { message: 'elsewhere', timestamp: '' })
      if (this.own.isOpen) this.own.drop()
    })
  }

  /** Nothing runs in it any more, though it has what it has. */
  sleep(): void {
    this.#isAsleep = true
  }

  async wake(): Promise<void> {
    this.#isAsleep = false
    for (const run of this.#late.splice(0)) run()
    await settle()
  }

  /** The browser says that it will put it to sleep. */
  async freeze(): Promise<void> {
    for (const { onSuspend } of [...this.#pages]) onSuspend()
    await settle()
  }

  async resume(): Promise<void> {
    for (const { onResume } of [...this.#pages]) onResume()
    await settle()
  }

  /** Without a word; the browser frees its locks and the server loses its connection. */
  async crash(): Promise<void> {
    this.#isDead = true
    this.isServed = false
    for (const close of this.#closes) close()
    for (const turn of this.#held) turn.release()
    if (this.own.isOpen) this.own.drop()
    await settle()
  }

  #run(action: () => void): void {
    if (this.#isDead) return
    if (this.#isAsleep) this.#late.push(action)
    else action()
  }

  #clockOn(clock: ManualClock): Clock {
    return {
      now: () => clock.now(),
      after: (ms, run) => clock.after(ms, () => this.#run(run)),
    }
  }

  #turnsOn(turns: Turns): Turns {
    return {
      isFree: turns.isFree,
      take: (name, { onTurn, onLost }) => {
        const turn = turns.take(name, {
          onTurn: () => this.#run(onTurn),
          onLost: () => this.#run(onLost),
        })
        this.#held.add(turn)
        return turn
      },
    }
  }

  #lineOn(openLine: OpenLine<TabMessage>): OpenLine<TabMessage> {
    return (listen) => {
      const line = openLine((message) => this.#run(() => listen(message)))
      this.#closes.add(line.close)
      return line
    }
  }

  #page(): PageLife {
    return {
      isVisible: () => this.#isVisible,
      watch: (handlers) => {
        this.#pages.add(handlers)
        return () => this.#pages.delete(handlers)
      },
    }
  }
}
