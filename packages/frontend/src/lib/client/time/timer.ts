import type { Cancel, Clock } from './clock'

/** At most one thing to do later: starting it again replaces what was planned. */
export class Timer {
  readonly #clock: Clock
  #cancel: Cancel | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get isRunning(): boolean {
    return this.#cancel !== null
  }

  start(ms: number, run: () => void): void {
    this.cancel()
    this.#cancel = this.#clock.after(ms, () => {
      this.#cancel = null
      run()
    })
  }

  cancel(): void {
    this.#cancel?.()
    this.#cancel = null
  }
}
