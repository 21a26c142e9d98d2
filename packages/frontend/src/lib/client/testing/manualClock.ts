import type { Clock } from '../time/clock'

interface Planned {
  at: number
  order: number
  run: () => void
}

/** A clock that stands still until a test moves it; minutes cost nothing. */
export class ManualClock implements Clock {
  #now = Date.UTC(2026, 0, 1)
  #order = 0
  readonly #planned = new Set<Planned>()

  now(): number {
    return this.#now
  }

  after(ms: number, run: () => void): () => void {
    this.#order += 1
    const planned = { at: this.#now + Math.max(0, ms), order: this.#order, run }
    this.#planned.add(planned)
    return () => this.#planned.delete(planned)
  }

  /** How many things are planned; none may be left over when everything is closed. */
  get planned(): number {
    return this.#planned.size
  }

  /** Lets time pass; what falls due runs in order, with what follows from it. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await settle()
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#planned.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.run()
      await settle()
    }
    this.#now = end
    await settle()
  }

  #next(end: number): Planned | undefined {
    return [...this.#planned]
      .filter(({ at }) => at <= end)
      .sort((one, other) => one.at - other.at || one.order - other.order)[0]
  }
}

/** Lets everything run that waits for promises only. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve()
}
