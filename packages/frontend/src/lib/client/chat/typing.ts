import type { Clock } from '../time/clock'
import { Timer } from '../time/timer'

export interface TypingNotifierParts {
  clock: Clock
  intervalMs: number
  idleMs: number
  notify: (isTyping: boolean) => void
}

/** Tells others that one types: at the first key, every few seconds on, and when it ceases. */
export class TypingNotifier {
  readonly #parts: TypingNotifierParts
  readonly #idle: Timer
  readonly #pace: Timer
  #isTyping = false

  constructor(parts: TypingNotifierParts) {
    this.#parts = parts
    this.#idle = new Timer(parts.clock)
    this.#pace = new Timer(parts.clock)
  }

  /** To be called at every key. */
  start(): void {
    this.#idle.start(this.#parts.idleMs, () => this.stop())
    if (this.#pace.isRunning) return
    this.#pace.start(this.#parts.intervalMs, () => undefined)
    this.#isTyping = true
    this.#parts.notify(true)
  }

  stop(): void {
    if (!this.#isTyping) return
    this.forget()
    this.#parts.notify(false)
  }

  /** Says nothing: nobody is there to hear it. */
  forget(): void {
    this.#isTyping = false
    this.#idle.cancel()
    this.#pace.cancel()
  }
}

export interface TypingExpiryParts {
  clock: Clock
  timeoutMs: number
  expire: (userId: string) => void
}

/** Ends the typing of others that nobody ended. */
export class TypingExpiry {
  readonly #parts: TypingExpiryParts
  readonly #timers = new Map<string, Timer>()

  constructor(parts: TypingExpiryParts) {
    this.#parts = parts
  }

  seen(userId: string, isTyping: boolean): void {
    this.#timers.get(userId)?.cancel()
    this.#timers.delete(userId)
    if (!isTyping) return
    const timer = new Timer(this.#parts.clock)
    this.#timers.set(userId, timer)
    timer.start(this.#parts.timeoutMs, () => {
      this.#timers.delete(userId)
      this.#parts.expire(userId)
    })
  }

  forget(): void {
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
  }
}
