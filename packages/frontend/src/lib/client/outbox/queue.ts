import { createItem, type Item } from './item'
import type { OutboxEntry } from './store'

/** What is held of an outbox, in the order sent. */
export class Queue {
  /** A `Map` keeps the order. */
  readonly #items = new Map<string, Item>()
  /** For each reading of the store that is under way, what was changed here meanwhile. */
  readonly #touched = new Set<Set<string>>()

  get size(): number {
    return this.#items.size
  }

  get(id: string): Item | undefined {
    return this.#items.get(id)
  }

  all(): Item[] {
    return [...this.#items.values()]
  }

  next(): Item | undefined {
    for (const item of this.#items.values()) if (item.status === 'pending') return item
    return undefined
  }

  /** Puts it behind the others. */
  add(item: Item): void {
    const { id } = item.message
    this.#items.delete(id)
    this.#items.set(id, item)
  }

  take(id: string): Item | undefined {
    const item = this.#items.get(id)
    this.#items.delete(id)
    this.touch(id)
    return item
  }

  clear(): void {
    this.#items.clear()
  }

  /** What is being read of it is out of date. */
  touch(id: string): void {
    for (const ids of this.#touched) ids.add(id)
  }

  /** Reads a store, and brings what is held in line with it; those that others took out of it. */
  async read(load: () => Promise<OutboxEntry[]>, isWanted: () => boolean): Promise<Item[] | null> {
    const touched = new Set<string>()
    this.#touched.add(touched)
    const kept = await load()
    this.#touched.delete(touched)
    return isWanted() ? this.#merge(kept, touched) : null
  }

  #merge(kept: readonly OutboxEntry[], touched: ReadonlySet<string>): Item[] {
    const held = new Map(this.#items)
    this.#items.clear()
    for (const entry of kept) {
      const { id } = entry.message
      const item = held.get(id)
      held.delete(id)
      if (!touched.has(id)) this.add(updated(item, entry))
      else if (item) this.add(item)
    }
    const rest = [...held.values()]
    const isLost = ({ isKept, message }: Item) => isKept && !touched.has(message.id)
    for (const item of rest) if (!isLost(item)) this.add(item)
    return rest.filter(isLost)
  }
}

/** One that is held goes on as it is, unless somebody else has changed it. */
function updated(item: Item | undefined, entry: OutboxEntry): Item {
  if (item?.status === entry.status) return item
  item?.finish(false)
  return createItem(entry)
}
