import type { ConnectionReplaced } from '../../types/socket'
import type { LineQuality } from '../connection/quality'
import type { ManagedConnection } from '../connection/status'
import type { Clock } from '../time/clock'
import { Timer } from '../time/timer'
import type { OpenTransport } from '../transport/transport'
import type { Group } from './group'
import { Hub } from './hub'
import type { Command, LeadState, TabId, TabMessage } from './messages'

/** So long it may take until a tab that was relieved of the lead has said so. */
const SETTLE_MS = 500
/** So long a tab that yields waits for the other one to take the lead. */
const YIELD_MS = 2_000

export interface LeadParts {
  id: TabId
  clock: Clock
  group: Group
  transport: OpenTransport
  /** This tab's own connection, which is that of all now. */
  connection: ManagedConnection
  isVisible: () => boolean
  /** How good the line is, as far as any tab has found out. */
  line: () => LineQuality
  /** Counts the connections. */
  epoch: () => number
  /** Another tab can be seen now: a moment to see how the connection stands. */
  onSeen: () => void
  /** The connection was taken over, and not by another tab. */
  onReplaced: (data: ConnectionReplaced) => void
}

/** What a tab does for the others while it leads. */
export class Lead {
  readonly hub: Hub
  readonly #parts: LeadParts
  readonly #settling: Timer
  readonly #yielding: Timer
  #yieldsTo: TabId | undefined

  constructor(parts: LeadParts) {
    const { id, clock, group, transport, isVisible } = parts
    this.#parts = parts
    this.#settling = new Timer(clock)
    this.#yielding = new Timer(clock)
    this.hub = new Hub({
      self: id,
      transport,
      clock,
      isVisible,
      tell: (message) => group.tell(message),
      watch: (tab, onGone) => group.watch(tab, onGone),
    })
  }

  end(): void {
    this.#settling.cancel()
    this.#yielding.cancel()
    this.hub.close()
  }

  hear(message: TabMessage): void {
    const { group, transport, connection, epoch } = this.#parts
    switch (message.type) {
      case 'hello':
        if (this.hub.hello(message.from, message.isVisible)) this.#parts.onSeen()
        if (message.wants) this.#obey(message.wants, message.from)
        group.announce()
        break
      case 'bye':
        this.hub.bye(message.from)
        break
      case 'ask':
        // Of an earlier connection it is not known whether the server got it: the tab asks again.
        if (message.term === group.term && message.epoch === epoch()) this.hub.pass(message)
        break
      case 'clash':
        // It was no other device.
        if (this.#settling.isRunning) connection.reconnect()
        this.#settling.cancel()
        break
      case 'suspect':
        transport.suspect?.()
        break
      default:
        break
    }
  }

  /**
   * It may have been another tab: one that took the lead without this one's knowing yet, or one that
   * slept and does not know that it leads no more.
   */
  replaced(data: ConnectionReplaced): void {
    this.#settling.start(SETTLE_MS, () => {
      this.hub.spread('connection:replaced', data)
      this.#parts.onReplaced(data)
    })
  }

  state(): Omit<LeadState, 'term' | 'isVisible'> {
    const { connection, transport, epoch } = this.#parts
    const { connectionState, reconnectAttempts, lastError } = connection.getSnapshot()
    return {
      epoch: epoch(),
      isOpen: transport.isOpen,
      socketId: transport.socketId,
      line: this.#parts.line(),
      connectionState: this.#yieldsTo === undefined ? connectionState : 'reconnecting',
      reconnectAttempts,
      lastError: lastError && { code: lastError.code, message: lastError.message },
      yieldsTo: this.#yieldsTo,
    }
  }

  #obey(wants: Command, from: TabId): void {
    if (wants === 'yield') this.#yield(from)
    else if (this.#yieldsTo === undefined) this.#parts.connection[wants]()
  }

  /** Closes first, so that the server takes the next connection for the same person's return. */
  #yield(to: TabId): void {
    if (this.#yieldsTo !== undefined) return
    this.#yieldsTo = to
    this.#parts.connection.disconnect()
    this.#yielding.start(YIELD_MS, () => {
      this.#yieldsTo = undefined
      this.#parts.connection.connect()
    })
  }
}
