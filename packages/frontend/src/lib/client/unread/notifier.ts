import type { ChatMessage } from '../../types/socket'
import type { Clock } from '../time/clock'

/** In this time a message that is read on another tab or device needs no notification. */
export const NOTIFY_AFTER_MS = 1_000

export interface NotifierParts {
  clock: Clock
  /** Whether the person can see the room here. */
  isInView: (roomId: string) => boolean
  isUnread: (roomId: string, seq: number) => boolean
  /** Whether the person wants to be notified at all, now. */
  isOn: () => boolean
  show: (message: ChatMessage) => void
}

/** Decides of which messages a person is to be notified: those that nobody has seen a moment later. */
export class Notifier {
  readonly #parts: NotifierParts
  readonly #planned = new Map<string, () => void>()

  constructor(parts: NotifierParts) {
    this.#parts = parts
  }

  came(message: ChatMessage): void {
    const { clock, isOn, isInView } = this.#parts
    const { id, roomId } = message
    if (!isOn() || isInView(roomId) || this.#planned.has(id)) return
    const cancel = clock.after(NOTIFY_AFTER_MS, () => {
      this.#planned.delete(id)
      this.#look(message)
    })
    this.#planned.set(id, cancel)
  }

  deleted(messageId: string): void {
    this.#planned.get(messageId)?.()
    this.#planned.delete(messageId)
  }

  close(): void {
    for (const cancel of this.#planned.values()) cancel()
    this.#planned.clear()
  }

  #look(message: ChatMessage): void {
    const { isOn, isInView, isUnread, show } = this.#parts
    const { roomId, seq } = message
    if (isOn() && isUnread(roomId, seq) && !isInView(roomId)) show(message)
  }
}
