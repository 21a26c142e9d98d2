import type { Unsubscribe } from '../store'
import type { Clock } from '../time/clock'
import type { ClientEvent, ClientPayload, Transport } from '../transport/transport'
import { Ledger, type Outgoing, roomOf } from './ledger'
import type { TabId, TabMessage } from './messages'

export interface HubParts {
  self: TabId
  transport: Transport
  clock: Clock
  isVisible: () => boolean
  tell: (message: TabMessage) => void
  /** Says when a tab is gone, also without a word. */
  watch: (tab: TabId, onGone: () => void) => Unsubscribe
}

interface Tab {
  isVisible: boolean
  stop: Unsubscribe
}

type OnReply = (reply: unknown) => void

/** What the tab that leads does for all: one connection, as if each had its own. */
export class Hub {
  readonly #parts: HubParts
  readonly #ledger = new Ledger()
  readonly #tabs = new Map<TabId, Tab>()
  readonly #stop: Unsubscribe

  constructor(parts: HubParts) {
    this.#parts = parts
    this.#ledger.sees(parts.self, parts.isVisible())
    this.#stop = parts.transport.onChange(({ type }) => {
      if (type === 'closed') this.#ledger.forget()
    })
  }

  /** Whether there are other tabs. */
  get isShared(): boolean {
    return this.#tabs.size > 0
  }

  /** Whether one of the other tabs can be seen. */
  get isSeen(): boolean {
    return [...this.#tabs.values()].some(({ isVisible }) => isVisible)
  }

  close(): void {
    this.#stop()
    for (const { stop } of this.#tabs.values()) stop()
    this.#tabs.clear()
  }

  /** A tab is there; resolves to whether it was not, or could not be seen, until now. */
  hello(tab: TabId, isVisible: boolean): boolean {
    const known = this.#tabs.get(tab)
    const stop = known?.stop ?? this.#parts.watch(tab, () => this.#lost(tab))
    this.#tabs.set(tab, { isVisible, stop })
    if (known?.isVisible !== isVisible) this.#say(this.#ledger.sees(tab, isVisible))
    return isVisible && !known?.isVisible
  }

  bye(tab: TabId): void {
    this.#tabs.get(tab)?.stop()
    if (this.#tabs.delete(tab)) this.#say(this.#ledger.gone(tab, this.#parts.clock.now()))
  }

  /** The tab that leads can be seen now, or not. */
  seen(): void {
    this.#say(this.#ledger.sees(this.#parts.self, this.#parts.isVisible()))
  }

  /** An event of a tab, of this one included. */
  ask(tab: TabId, event: string, payload: unknown, onReply?: OnReply): void {
    const { transport, clock } = this.#parts
    const roomId = roomOf(payload)
    const wasIn = roomId !== undefined && this.#ledger.isIn(tab, roomId)
    const verdict = this.#ledger.take(tab, event, payload, clock.now())
    if (verdict.type === 'settled') {
      onReply?.({ success: true })
      return
    }
    const isEntry = event === 'room:join' || event === 'room:rejoin'
    const answer: OnReply = (reply) => {
      if (isEntry && roomId !== undefined && !wasIn && !isSuccess(reply))
        this.#ledger.refused(tab, roomId)
      onReply?.(reply)
    }
    const hears = onReply || isEntry ? answer : undefined
    // Another build may know of events that this one does not: they are the server's to judge.
    transport.emit(event as ClientEvent, verdict.payload as ClientPayload<ClientEvent>, hears)
  }

  /** A tab sends an event to the server by way of this one. */
  pass({ from, event, payload, number }: TabMessage & { type: 'ask' }): void {
    const { self, tell } = this.#parts
    const reply = (value: unknown) => {
      if (number !== undefined) tell({ type: 'reply', from: self, to: from, number, reply: value })
    }
    this.ask(from, event, payload, number === undefined ? undefined : reply)
  }

  /** The server said something: each tab hears it once. */
  spread(event: string, payload: unknown): void {
    const { self, tell } = this.#parts
    if (this.isShared) tell({ type: 'event', from: self, event, payload })
  }

  /** It gave no sign of life; should it live after all, it hears that its rooms are gone. */
  #lost(tab: TabId): void {
    this.bye(tab)
    this.#parts.tell({ type: 'gone', from: this.#parts.self, tab })
  }

  #say(all: Outgoing[]): void {
    for (const { event, payload } of all)
      this.#parts.transport.emit(event, payload as ClientPayload<typeof event>)
  }
}

function isSuccess(reply: unknown): boolean {
  return typeof reply === 'object' && reply !== null && 'success' in reply && reply.success === true
}
