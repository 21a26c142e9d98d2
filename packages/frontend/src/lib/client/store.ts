export type Unsubscribe = () => void

/** A value that changes, in the form `useSyncExternalStore` reads. */
export interface Readable<T> {
  getSnapshot: () => T
  subscribe: (listener: () => void) => Unsubscribe
}

export class Store<T> implements Readable<T> {
  #value: T
  readonly #listeners = new Set<() => void>()

  constructor(value: T) {
    this.#value = value
  }

  readonly getSnapshot = (): T => this.#value

  readonly subscribe = (listener: () => void): Unsubscribe => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return
    this.#value = value
    for (const listener of [...this.#listeners]) listener()
  }
}
