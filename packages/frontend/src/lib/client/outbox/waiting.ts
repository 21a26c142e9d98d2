import type { Clock } from '../time/clock'

/** A time for which one was told to wait, also over a reconnect. */
export class Rest {
  readonly #clock: Clock
  #since = 0
  #ms = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  begin(ms: number): void {
    this.#since = this.#clock.now()
    this.#ms = ms
  }

  end(): void {
    this.#ms = 0
  }

  /** A wall clock that was set back must not make it longer. */
  get left(): number {
    const passed = this.#clock.now() - this.#since
    return passed < 0 ? 0 : Math.max(0, this.#ms - passed)
  }
}
