import type { Unsubscribe } from '../store'
import type { ChatSocket } from './socketTransport'

/** A ping that is so late was not late: the page or the computer slept. */
const LATE_MAX_MS = 60_000

/**
 * Engine.IO's server sends the next ping a fixed time after it has the answer to the last one; so what two of
 * them are apart beyond that time is a round trip, which costs nothing.
 */
export class Pings {
  readonly #listeners = new Set<(ms: number) => void>()
  readonly #now: () => number
  #intervalMs: number | null = null
  #last: number | null = null

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  listen(listener: (ms: number) => void): Unsubscribe {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** To be called when a connection is being opened. */
  watch({ io }: ChatSocket): void {
    this.#intervalMs = null
    this.#last = null
    io.off('ping', this.#onPing)
    io.on('ping', this.#onPing)
    io.engine.once('handshake', ({ pingInterval }) => {
      this.#intervalMs = pingInterval
    })
  }

  readonly #onPing = (): void => {
    const now = this.#now()
    const trip = now - (this.#last ?? now) - (this.#intervalMs ?? 0)
    const isKnown = this.#last !== null && this.#intervalMs !== null
    this.#last = now
    if (!isKnown || trip < 0 || trip > LATE_MAX_MS) return
    for (const listener of [...this.#listeners]) listener(trip)
  }
}
