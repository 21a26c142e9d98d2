import type { LineQuality } from '../connection/quality'
import type { ConnectionError } from '../errors'
import type { Readable, Unsubscribe } from '../store'
import { Listeners } from '../transport/listeners'
import type {
  ClientEvent,
  ClientPayload,
  HandshakeAuth,
  OpenTransport,
  Reply,
  ServerEvent,
  ServerPayload,
  TransportChange,
} from '../transport/transport'

/** An event as the other side got it. */
export type Sent = {
  [E in ClientEvent]: {
    event: E
    payload: ClientPayload<E>
    reply: (reply: Reply<E>) => void
  }
}[ClientEvent]

export type SentEvent<E extends ClientEvent> = Extract<Sent, { event: E }>

/** A transport without a wire: a test plays the other side. */
export class MemoryTransport implements OpenTransport {
  userId: string | undefined = undefined
  server: string | undefined = undefined
  /** What `open` was called with, one for each attempt. */
  readonly attempts: HandshakeAuth[] = []
  readonly sent: Sent[] = []
  /** Answers at once, if set; what it does not answer is left to the test. */
  onSent: ((sent: Sent) => void) | null = null
  socketId: string | undefined = undefined
  quality: Readable<LineQuality> | undefined = undefined
  #isOpen = false
  readonly #suspecting = new Set<() => void>()
  readonly #measuring = new Set<(ms: number) => void>()
  readonly #listeners = new Listeners()

  get isOpen(): boolean {
    return this.#isOpen
  }

  open(auth: HandshakeAuth): void {
    this.attempts.push(auth)
    this.#listeners.change({ type: 'opening' })
  }

  close(): void {
    if (this.#isOpen) this.drop()
  }

  emit<E extends ClientEvent>(
    event: E,
    payload: ClientPayload<E>,
    onReply?: (reply: Reply<E>) => void,
  ): void {
    if (!this.#isOpen) return
    const reply = (value: Reply<E>) => {
      if (this.#isOpen) onReply?.(value)
    }
    const sent = { event, payload: structuredClone(payload), reply } as unknown as Sent
    this.sent.push(sent)
    this.onSent?.(sent)
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
    for (const listener of [...this.#suspecting]) listener()
  }

  onSuspect(listener: () => void): Unsubscribe {
    this.#suspecting.add(listener)
    return () => this.#suspecting.delete(listener)
  }

  onRoundTrip(listener: (ms: number) => void): Unsubscribe {
    this.#measuring.add(listener)
    return () => this.#measuring.delete(listener)
  }

  // --- the other side ---

  /** A round trip took so long. */
  measure(ms: number): void {
    for (const listener of [...this.#measuring]) listener(ms)
  }

  /** The server lets the client in. */
  accept(): void {
    this.#isOpen = true
    this.#listeners.change({ type: 'opened' })
  }

  /** The connection ends. */
  drop(): void {
    this.#isOpen = false
    this.#listeners.change({ type: 'closed' })
  }

  refuse(error: ConnectionError): void {
    this.#listeners.change({ type: 'refused', error })
  }

  /** The server sends an event. */
  push<E extends ServerEvent>(event: E, payload: ServerPayload<E>): void {
    this.#listeners.tell(event, payload)
  }

  /** What was sent of one kind. */
  all<E extends ClientEvent>(event: E): SentEvent<E>[] {
    return this.sent.filter((sent): sent is SentEvent<E> => sent.event === event)
  }

  /** The last of one kind; a test that asks for it expects one. */
  last<E extends ClientEvent>(event: E): SentEvent<E> {
    const sent = this.all(event).at(-1)
    if (!sent) throw new Error(`No ${event} was sent`)
    return sent
  }

  /** How many listen; none may be left over when everything is closed. */
  get listening(): number {
    return this.#listeners.size + this.#suspecting.size + this.#measuring.size
  }
}
