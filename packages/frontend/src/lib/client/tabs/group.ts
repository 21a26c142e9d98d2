import type { NewsLine, OpenLine } from '../outbox/news'
import type { Turn, Turns } from '../outbox/turns/turns'
import type { Unsubscribe } from '../store'
import type { Clock } from '../time/clock'
import { Timer } from '../time/timer'
import type { Command, LeadState, TabId, TabMessage } from './messages'
import { type Leader, LOOK_MS, type Look, look } from './rules'

export interface GroupParts {
  id: TabId
  clock: Clock
  /** One of them is the lead; one for each tab shows that the tab lives. */
  turns: Turns
  openLine: OpenLine<TabMessage>
  isVisible: () => boolean
  events: GroupEvents
}

export interface GroupEvents {
  /** This tab leads from now on. */
  onLead(): void
  /** It leads no more; it is not known yet who does. */
  onLost(): void
  /** Another tab leads, and stands like that. */
  onState(state: LeadState): void
  /** The tab that led is gone; another one will lead, perhaps this. */
  onLeaderGone(): void
  /** This tab was taken for gone: whatever it had over the connection is given up. */
  onForgotten(): void
  /** For a tab that leads: what others ask; for the others: what the one that leads passes on. */
  onMessage(message: TabMessage): void
  /** How this tab stands, while it leads. */
  state(): Omit<LeadState, 'term' | 'isVisible'>
}

type Role = 'joining' | 'following' | 'leading' | 'out'

/**
 * The tabs of one user. The browser's lock says which of them leads, and frees it when that one is
 * closed or crashes; of a tab that lives and does not answer it is taken.
 */
export class Group {
  readonly #parts: GroupParts
  readonly #timer: Timer
  #role: Role = 'joining'
  #line: NewsLine<TabMessage> | null = null
  #sign: Turn | null = null
  #turn: Turn | null = null
  #leader: Leader | null = null
  /** The highest that was heard of. */
  #term = 0
  #unanswered = 0
  /** Whether an answer failed to come. */
  #isAlarmed = false

  constructor(parts: GroupParts) {
    this.#parts = parts
    this.#timer = new Timer(parts.clock)
  }

  get isLeading(): boolean {
    return this.#role === 'leading'
  }

  get term(): number {
    return this.#term
  }

  join(wants: Command): void {
    const { openLine, turns, id } = this.#parts
    this.#line = openLine((message) => this.#hear(message))
    let isIn = false
    // Whoever leads must find the sign of life when it hears of this tab.
    this.#sign = turns.take(signOf(id), {
      onTurn: () => {
        if (isIn || this.#role === 'out') return
        isIn = true
        this.#queue()
        this.hello(wants)
        this.#plan()
      },
      onLost: () => undefined,
    })
  }

  /** For good; `close` is done before another tab may lead. */
  leave(close: () => void): void {
    if (this.#role === 'out') return
    this.tell({ type: 'bye', from: this.#parts.id })
    this.#role = 'out'
    this.#timer.cancel()
    close()
    this.#turn?.release()
    this.#sign?.release()
    this.#line?.close()
  }

  tell(message: TabMessage): void {
    this.#line?.tell(message)
  }

  /** Says that this tab is there, and asks who leads. */
  hello(wants?: Command): void {
    const { id, isVisible } = this.#parts
    this.tell({ type: 'hello', from: id, isVisible: isVisible(), ...(wants ? { wants } : {}) })
  }

  /** To be called when the page can be seen now, or not. */
  seen(): void {
    if (this.#role === 'leading') this.announce()
    else this.hello()
    this.#plan()
  }

  /** To be called when an answer failed to come: whoever leads may be asleep. */
  alarm(): void {
    this.#isAlarmed = true
    this.#plan()
  }

  /** Tells all how this tab stands that leads. */
  announce(): void {
    if (this.#role !== 'leading') return
    const { id, isVisible, events } = this.#parts
    const state = { ...events.state(), term: this.#term, isVisible: isVisible() }
    this.tell({ type: 'lead', from: id, state })
  }

  /** Takes the lead from whoever has it. */
  insist(): void {
    this.#unanswered = 0
    this.#turn?.insist()
  }

  /** Says when a tab is gone, also without a word. */
  watch(tab: TabId, onGone: () => void): Unsubscribe {
    let isOver = false
    let turn: Turn | null = null
    const stop = () => {
      isOver = true
      turn?.release()
    }
    turn = this.#parts.turns.take(signOf(tab), {
      onTurn: () => {
        // Also where the turn comes before one has it in hand.
        queueMicrotask(() => {
          if (isOver) return
          stop()
          onGone()
        })
      },
      onLost: () => undefined,
    })
    return stop
  }

  #queue(): void {
    this.#turn = this.#parts.turns.take('lead', {
      onTurn: () => this.#lead(),
      onLost: () => this.#lose(),
    })
  }

  #lead(): void {
    if (this.#role === 'out' || this.#role === 'leading') return
    this.#role = 'leading'
    this.#leader = null
    this.#isAlarmed = false
    // Terms go on counting although the tabs that knew the last one may all be gone.
    this.#term = Math.max(this.#term + 1, this.#parts.clock.now())
    this.#plan()
    this.#parts.events.onLead()
    this.announce()
  }

  #lose(): void {
    if (this.#role !== 'leading') return
    this.#role = 'joining'
    this.#parts.events.onLost()
    this.hello()
    this.#plan()
  }

  #hear(message: TabMessage): void {
    const { id, events } = this.#parts
    if (message.from === id || this.#role === 'out') return
    switch (message.type) {
      case 'lead':
        this.#heardLead(message.from, message.state)
        return
      case 'event':
      case 'reply':
        if (message.from === this.#leader?.id) events.onMessage(message)
        return
      case 'gone':
        if (message.from === this.#leader?.id && message.tab === id) {
          events.onForgotten()
          this.hello()
        }
        return
      case 'bye':
        if (message.from === this.#leader?.id) this.#leaderLeft()
        break
      default:
        break
    }
    if (this.#role === 'leading') events.onMessage(message)
  }

  #leaderLeft(): void {
    this.#leader = null
    this.#role = 'joining'
    this.#parts.events.onLeaderGone()
    this.#plan()
  }

  #heardLead(from: TabId, state: LeadState): void {
    const isNews = from !== this.#leader?.id
    if (
      state.term < this.#term ||
      (isNews && state.term === this.#term && this.#role !== 'joining')
    )
      return
    if (this.#role === 'leading') {
      // The word that the lead was taken is still on its way.
      this.#turn?.release()
      this.#role = 'joining'
      this.#parts.events.onLost()
      this.#queue()
    }
    this.#term = state.term
    this.#unanswered = 0
    this.#isAlarmed = false
    const now = this.#parts.clock.now()
    const hiddenSince = state.isVisible ? null : (this.#leader?.hiddenSince ?? now)
    const awaySince = state.isOpen ? null : (this.#leader?.awaySince ?? now)
    this.#leader = { id: from, state, hiddenSince, awaySince }
    this.#role = 'following'
    if (isNews) this.hello()
    this.#plan()
    this.#parts.events.onState(state)
  }

  /** Looks after whoever leads, where it matters. */
  #plan(): void {
    const { isVisible } = this.#parts
    const isOnDuty = this.#role === 'joining' || (this.#role === 'following' && isVisible())
    if (!isOnDuty && !(this.#isAlarmed && this.#role === 'following')) this.#timer.cancel()
    else if (!this.#timer.isRunning) this.#timer.start(LOOK_MS, () => this.#look())
  }

  #look(): void {
    const { clock, isVisible } = this.#parts
    const verdict: Look = look({
      unanswered: this.#unanswered,
      leader: this.#leader,
      isVisible: isVisible(),
      now: clock.now(),
    })
    if (verdict === 'insist') this.insist()
    else {
      this.#unanswered += 1
      this.hello(verdict === 'yield' ? 'yield' : undefined)
    }
    this.#plan()
  }
}

function signOf(tab: TabId): string {
  return `tab:${tab}`
}
