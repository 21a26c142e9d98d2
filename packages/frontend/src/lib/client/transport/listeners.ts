import type { Unsubscribe } from '../store'
import type { ServerEvent, ServerPayload, TransportChange } from './transport'

/** Who listens to a transport. Who comes or goes while something is told changes nothing about that. */
export class Listeners {
  readonly #events = new Map<string, Set<(payload: never) => void>>()
  readonly #any = new Set<(event: string, payload: unknown) => void>()
  readonly #changes = new Set<(change: TransportChange) => void>()

  /** How many there are. */
  get size(): number {
    const events = [...this.#events.values()].map((listeners) => listeners.size)
    return events.reduce((sum, each) => sum + each, this.#any.size + this.#changes.size)
  }

  on<E extends ServerEvent>(event: E, listener: (payload: ServerPayload<E>) => void): Unsubscribe {
    const listeners = this.#events.get(event) ?? new Set()
    this.#events.set(event, listeners)
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  onAny(listener: (event: string, payload: unknown) => void): Unsubscribe {
    this.#any.add(listener)
    return () => this.#any.delete(listener)
  }

  onChange(listener: (change: TransportChange) => void): Unsubscribe {
    this.#changes.add(listener)
    return () => this.#changes.delete(listener)
  }

  tell(event: string, payload: unknown): void {
    for (const listener of [...this.#any]) listener(event, payload)
    for (const listener of [...(this.#events.get(event) ?? [])]) listener(payload as never)
  }

  change(change: TransportChange): void {
    for (const listener of [...this.#changes]) listener(change)
  }
}
