import type { Clock } from '../../time/clock'
import { Timer } from '../../time/timer'
import type { Turn, TurnHandlers, Turns } from './turns'

export interface LeaseRequest {
  name: string
  holder: string
  now: number
  until: number
  /** How long any lease lasts at most. */
  longest: number
}

/** A table that all tabs see, and change one at a time. */
export interface LeaseTable {
  /** Takes or renews it; resolves to whether it is the holder's now. */
  take(request: LeaseRequest, isForced: boolean): Promise<boolean>
  drop(name: string, holder: string): Promise<void>
}

export const LEASE_MS = 8_000
const RENEW_MS = 2_500

export interface LeaseParts {
  table: LeaseTable
  clock: Clock
  createId: () => string
}

/**
 * Among all tabs, where the browser has no locks: plain HTTP. A hidden tab that is late to renew
 * loses its turn; for a moment two may then send the same, which the server takes once.
 */
export function leaseTurns(parts: LeaseParts): Turns {
  return {
    take: (name, handlers) => new LeaseTurn(parts, name, handlers),
    isFree: async (name) => {
      const holder = parts.createId()
      const isOurs = await ask(parts, { name, holder }, false)
      if (isOurs) await parts.table.drop(name, holder).catch(() => undefined)
      return isOurs
    },
  }
}

/** A table that fails keeps nobody from sending. */
async function ask(
  { table, clock }: LeaseParts,
  who: { name: string; holder: string },
  isForced: boolean,
): Promise<boolean> {
  const now = clock.now()
  const request = { ...who, now, until: now + LEASE_MS, longest: LEASE_MS }
  return table.take(request, isForced).catch(() => true)
}

class LeaseTurn implements Turn {
  readonly #parts: LeaseParts
  readonly #who: { name: string; holder: string }
  readonly #handlers: TurnHandlers
  readonly #timer: Timer
  #isOurs = false
  #isReleased = false

  constructor(parts: LeaseParts, name: string, handlers: TurnHandlers) {
    this.#parts = parts
    this.#who = { name, holder: parts.createId() }
    this.#handlers = handlers
    this.#timer = new Timer(parts.clock)
    void this.#look(false)
  }

  readonly release = (): void => {
    this.#isReleased = true
    this.#timer.cancel()
    void this.#drop()
  }

  insist(): void {
    if (!this.#isReleased && !this.#isOurs) void this.#look(true)
  }

  async #look(isForced: boolean): Promise<void> {
    this.#timer.start(RENEW_MS, () => void this.#look(false))
    const isOurs = await ask(this.#parts, this.#who, isForced)
    if (this.#isReleased) {
      if (isOurs) await this.#drop()
      return
    }
    if (isOurs === this.#isOurs) return
    this.#isOurs = isOurs
    if (isOurs) this.#handlers.onTurn()
    else this.#handlers.onLost()
  }

  #drop(): Promise<void> {
    const { name, holder } = this.#who
    return this.#parts.table.drop(name, holder).catch(() => undefined)
  }
}
