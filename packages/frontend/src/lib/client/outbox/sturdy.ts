import type { Readable } from '../store'
import { Store } from '../store'
import type { Clock } from '../time/clock'
import { memoryOutboxStore, type OutboxEntry, OutboxFull, type OutboxStore } from './store'

/** How long a database may take before it counts as one that does not answer. */
const PATIENCE_MS = 3_000

/**
 * A store that never fails: what the real one refuses, because it is forbidden, full or hangs, is
 * kept in memory. One thing after the other, so that nothing removed comes back.
 */
export class SturdyStore implements OutboxStore {
  readonly #real: Required<OutboxStore>
  readonly #clock: Clock
  readonly #memory = memoryOutboxStore()
  readonly #inMemory = new Set<string>()
  readonly #isKept = new Store(true)
  #last: Promise<unknown> = Promise.resolve()
  #isHanging = false

  constructor(real: Required<OutboxStore>, clock: Clock) {
    this.#real = real
    this.#clock = clock
  }

  /** Whether everything outlives the page. */
  get isKept(): Readable<boolean> {
    return this.#isKept
  }

  load(roomId: string): Promise<OutboxEntry[]> {
    return this.#inTurn(async () => {
      const [kept, here] = await Promise.all([
        this.#really(() => this.#real.load(roomId)),
        this.#memory.load(roomId),
      ])
      const ids = new Set(here.map(({ message }) => message.id))
      return [...(kept ?? []).filter(({ message }) => !ids.has(message.id)), ...here]
    })
  }

  put(entry: OutboxEntry, place?: 'end'): Promise<void> {
    return this.#inTurn(async () => {
      const { id } = entry.message
      const isHere = this.#inMemory.has(id)
      const isDone = await this.#really(async () => {
        await this.#real.put(entry, place)
        return true
      })
      if (isDone) {
        await this.#forget(id)
      } else if (entry.status === 'pending' || isHere) {
        await this.#memory.put(entry, place)
        this.#inMemory.add(id)
      }
      this.#isKept.set(isDone === true && this.#inMemory.size === 0)
    })
  }

  remove(id: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#forget(id)
      await this.#really(() => this.#real.remove(id))
    })
  }

  rooms(): Promise<string[]> {
    return this.#inTurn(async () => {
      const kept = (await this.#really(() => this.#real.rooms())) ?? []
      return [...new Set([...kept, ...(await this.#memory.rooms())])]
    })
  }

  async #forget(id: string): Promise<void> {
    this.#inMemory.delete(id)
    await this.#memory.remove(id)
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#last.then(action)
    this.#last = result.catch(() => undefined)
    return result
  }

  /** What the real store says; `undefined` where it fails or does not answer. */
  async #really<T>(action: () => Promise<T>): Promise<T | undefined> {
    if (this.#isHanging) return undefined
    const answer = action()
    try {
      const result = await this.#inTime(answer)
      return result
    } catch (error) {
      if (error instanceof OutboxFull) throw error
      this.#isKept.set(false)
      return undefined
    }
  }

  #inTime<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(PATIENCE_MS, () => {
        this.#isHanging = true
        reject(new Error('The store does not answer'))
      })
      const settled = () => {
        cancel()
        this.#isHanging = false
      }
      answer.then(resolve, reject)
      answer.then(settled, settled)
    })
  }
}
