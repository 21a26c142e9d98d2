import { type LineQuality, sameLine } from '../connection/quality'
import { Store, type Unsubscribe } from '../store'
import { Listeners } from '../transport/listeners'
import type {
  ClientEvent,
  ClientPayload,
  HandshakeAuth,
  OpenTransport,
  Reply,
  ServerEvent,
  ServerPayload,
  Transport,
  TransportChange,
} from '../transport/transport'
import type { Hub } from './hub'
import type { TabId } from './messages'

/** So many answers are waited for at most over another tab's connection. */
const ANSWERS_MAX = 1_000

/** The connection of another tab, as this one may use it. */
export interface Followed {
  userId: string
  /** Tells its connections apart; `null` while it has none. */
  key: string | null
  socketId: string | undefined
  ask: (event: string, payload: unknown, number: number | undefined) => void
  suspect: () => void
}

export interface TabTransportParts {
  self: TabId
  own: OpenTransport
  /** A connection of this tab's own is wanted. */
  open: (auth: HandshakeAuth) => void
  close: () => void
}

/** What the chats of a tab speak over: a connection of its own, or that of another tab. */
export class TabTransport implements OpenTransport {
  readonly quality = new Store<LineQuality>({ quality: 'good', loss: 0 })
  readonly #parts: TabTransportParts
  readonly #listeners = new Listeners()
  readonly #answers = new Map<number, (reply: never) => void>()
  #followed: Followed | null = null
  #hub: Hub | null = null
  #asked = 0

  constructor(parts: TabTransportParts) {
    this.#parts = parts
    parts.own.onAny((event, payload) => {
      // Of several tabs, all are told together once it is certain.
      if (this.#followed || (this.#hub && event === 'connection:replaced')) return
      this.#hub?.spread(event, payload)
      this.deliver(event, payload)
    })
    parts.own.onChange((change) => {
      if (!this.#followed) this.#listeners.change(change)
    })
  }

  get server(): string | undefined {
    return this.#parts.own.server
  }

  get isOpen(): boolean {
    return this.#followed ? this.#followed.key !== null : this.#parts.own.isOpen
  }

  get userId(): string | undefined {
    return this.#followed ? this.#followed.userId : this.#parts.own.userId
  }

  get socketId(): string | undefined {
    return this.#followed ? this.#followed.socketId : this.#parts.own.socketId
  }

  open(auth: HandshakeAuth): void {
    this.#parts.open(auth)
  }

  close(): void {
    this.#parts.close()
  }

  emit<E extends ClientEvent>(
    event: E,
    payload: ClientPayload<E>,
    onReply?: (reply: Reply<E>) => void,
  ): void {
    if (!this.isOpen) return
    if (this.#followed) this.#followed.ask(event, payload, this.#expect(onReply))
    else if (this.#hub) this.#hub.ask(this.#parts.self, event, payload, onReply as never)
    else this.#parts.own.emit(event, payload, onReply)
  }

  on<E extends ServerEvent>(event: E, listener: (payload: ServerPayload<E>) => void): Unsubscribe {
    return this.#listeners.on(event, listener)
  }

  onAny(listener: (event: string, payload: unknown) => void): Unsubscribe {
    return this.#listeners.onAny(listener)
  }

  onChange(listener: (change: TransportChange) => void): Unsubscribe {
    return this.#listeners.onChange(listener)
  }

  suspect(): void {
    if (this.#followed) this.#followed.suspect()
    else this.#parts.own.suspect?.()
  }

  /** From now on it is the connection of another tab, as that one stands. */
  follow(followed: Followed): void {
    const { own } = this.#parts
    const before = this.#followed ? this.#followed.key : own.isOpen ? 'own' : null
    this.#hub = null
    if (before !== null && before !== followed.key) {
      this.#followed = { ...followed, key: null }
      this.#closed()
    }
    this.#followed = followed
    if (followed.key === null || followed.key === before) return
    this.#listeners.change({ type: 'opening' })
    if (this.isOpen) this.#listeners.change({ type: 'opened' })
  }

  /** From now on it is a connection of this tab, for all of them or for this one alone. */
  lead(hub: Hub | null): void {
    const wasOpen = this.#followed !== null && this.isOpen
    this.#followed = null
    this.#hub = hub
    if (wasOpen) this.#closed()
  }

  /** The same connection as if it were another: what it had is gone. */
  renew(): void {
    const followed = this.#followed
    if (followed?.key === null || !followed) return
    this.#followed = { ...followed, key: null }
    this.#closed()
    this.follow(followed)
  }

  /** How good the line is, wherever it is measured. */
  measured(line: LineQuality): void {
    this.quality.set(sameLine(this.quality.getSnapshot(), line))
  }

  /** Everybody here hears an event. */
  deliver(event: string, payload: unknown): void {
    this.#listeners.tell(event, payload)
  }

  answer(number: number, reply: unknown): void {
    const onReply = this.#answers.get(number)
    this.#answers.delete(number)
    onReply?.(reply as never)
  }

  #expect(onReply: ((reply: never) => void) | undefined): number | undefined {
    if (!onReply) return undefined
    this.#asked += 1
    this.#answers.set(this.#asked, onReply)
    const [oldest] = this.#answers.keys()
    if (this.#answers.size > ANSWERS_MAX && oldest !== undefined) this.#answers.delete(oldest)
    return this.#asked
  }

  #closed(): void {
    this.#answers.clear()
    this.#listeners.change({ type: 'closed' })
  }
}

/** What a connection of this tab's own is opened with: `open` waits until it may. */
export function gateOf(
  own: OpenTransport,
  open: (auth: HandshakeAuth) => void,
  close: () => void,
): Transport {
  return {
    get isOpen() {
      return own.isOpen
    },
    get userId() {
      return own.userId
    },
    server: own.server,
    open,
    close,
    emit: (event, payload, onReply) => own.emit(event, payload, onReply),
    on: (event, listener) => own.on(event, listener),
    onChange: (listener) => own.onChange(listener),
    suspect: () => own.suspect?.(),
    onSuspect: (listener) => own.onSuspect?.(listener) ?? (() => undefined),
    onRoundTrip: (listener) => own.onRoundTrip?.(listener) ?? (() => undefined),
  }
}
