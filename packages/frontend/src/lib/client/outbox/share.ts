import type { Clock } from '../time/clock'
import { Timer } from '../time/timer'
import type { Turn, Turns } from './turns/turns'

export interface ShareParts {
  clock: Clock
  /** How long it may take until one hears of what somebody else sends. */
  patienceMs: number
  /** Whether something waits to be sent. */
  isWaiting: () => boolean
  /** What must be done before one may send, if anything. */
  prepare: () => Promise<void> | null
  onOurs: () => void
  onLost: () => void
}

/** Whether it is for this outbox to send, among all who have the same room open. */
export class Share {
  readonly #parts: ShareParts
  /** How long whoever has the turn is left alone. */
  readonly #patience: Timer
  #turn: Turn | null = null
  #isOurs = false

  constructor(parts: ShareParts) {
    this.#parts = parts
    this.#patience = new Timer(parts.clock)
  }

  get isOurs(): boolean {
    return this.#isOurs
  }

  join(turns: Turns, name: string): void {
    if (this.#turn) return
    // Counts turns, so that one that is lost while it is prepared is not taken up.
    let count = 0
    const turn = turns.take(name, {
      onTurn: () => {
        count += 1
        const own = count
        void this.#prepare(() => own === count)
      },
      onLost: () => {
        count += 1
        this.#isOurs = false
        this.#parts.onLost()
        this.leaveAlone(0)
      },
    })
    this.#turn = {
      release: () => {
        count += 1
        turn.release()
      },
      insist: () => turn.insist(),
    }
    if (!this.#isOurs) this.leaveAlone(0)
  }

  leave(): void {
    this.#isOurs = false
    this.#patience.cancel()
    this.#turn?.release()
    this.#turn = null
  }

  /** To be called when something waits. */
  watch(): void {
    if (!this.#patience.isRunning) this.leaveAlone(0)
  }

  /** Whoever has the turn is at it; but may be in a tab that the browser has put to sleep. */
  leaveAlone(ms: number): void {
    if (this.#isOurs || !this.#turn || !this.#parts.isWaiting()) return
    this.#patience.start(ms + this.#parts.patienceMs, () => {
      this.#turn?.insist()
      this.leaveAlone(0)
    })
  }

  async #prepare(isStill: () => boolean): Promise<void> {
    const preparation = this.#parts.prepare()
    if (preparation) await preparation
    if (!isStill()) return
    this.#patience.cancel()
    this.#isOurs = true
    this.#parts.onOurs()
  }
}
