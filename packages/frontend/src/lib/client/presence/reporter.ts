import type { ConnectedStatus } from '../../types/socket'
import { type Readable, Store, type Unsubscribe } from '../store'
import type { Clock } from '../time/clock'
import { Timer } from '../time/timer'
import type { Channel } from '../transport/transport'
import type { ActivitySource } from './activity'
import { IDLE_AFTER_MS, judge } from './rules'

export interface PresenceReporterParts {
  clock: Clock
  activity: ActivitySource
  /** Milliseconds. */
  idleAfter?: number | undefined
}

/**
 * Whether the person at this page is there, told to the server whenever that changes, and after each
 * connect. Where several tabs share a connection, it is told there what all of them say together.
 */
export class PresenceReporter implements Readable<ConnectedStatus> {
  readonly #parts: PresenceReporterParts
  readonly #status: Store<ConnectedStatus>
  readonly #look: Timer
  readonly getSnapshot: () => ConnectedStatus
  readonly subscribe: (listener: () => void) => Unsubscribe
  #lastActive: number

  constructor(parts: PresenceReporterParts) {
    this.#parts = parts
    this.#look = new Timer(parts.clock)
    this.#lastActive = parts.clock.now()
    this.#status = new Store<ConnectedStatus>(this.#judge().status)
    this.getSnapshot = this.#status.getSnapshot
    this.subscribe = this.#status.subscribe
  }

  /** Watches the person from now on, and tells the server what it sees over that channel. */
  bind(channel: Channel | null): Unsubscribe {
    const tell = () => channel?.emit('presence:set', { status: this.#status.getSnapshot() })
    const stops = [
      this.#parts.activity.onSign((sign) => this.#signed(sign)),
      this.#status.subscribe(tell),
      channel?.onChange(({ type }) => type === 'opened' && tell()) ?? (() => undefined),
    ]
    this.#update()
    if (channel?.isOpen) tell()
    return () => {
      this.#look.cancel()
      for (const stop of stops) stop()
    }
  }

  #signed(sign: 'seen' | 'active'): void {
    // To come back to the page is a sign of a person; to leave it is none.
    if (sign === 'active' || this.#parts.activity.isVisible())
      this.#lastActive = this.#parts.clock.now()
    // A mouse that moves need not be judged each time: the timer looks how long ago it was.
    if (sign === 'seen' || this.#status.getSnapshot() === 'away') this.#update()
  }

  #judge() {
    const { clock, activity, idleAfter = IDLE_AFTER_MS } = this.#parts
    const seen = { isVisible: activity.isVisible(), lastActive: this.#lastActive }
    return judge(seen, clock.now(), idleAfter)
  }

  #update(): void {
    const { status, lookIn } = this.#judge()
    if (lookIn === null) this.#look.cancel()
    else this.#look.start(lookIn, () => this.#update())
    this.#status.set(status)
  }
}
