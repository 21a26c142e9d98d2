import type { ChatMessage } from '../../types/socket'
import type { Clock } from '../time/clock'

/** In this time a message that is read on another tab or device needs no notification. */
export const NOTIFY_AFTER_MS = 1_000

export interface NotifierParts {
  clock: Clock
  /** Whether the person can see the room here. */
  isInView: (roomId: string) => boolean
  isUnread: (roomId: string, seq: number) => boolean
  show: (message: ChatMessage) => void
}

/** Decides of which messages a person is to be notified: those that nobody has seen a moment later. */
export class Notifier {
  readonly #parts: NotifierParts
  readonly #planned = new Set<() => void>()

  constructor(parts: NotifierParts) {
    this.#parts = parts
  }

  came(message: ChatMessage): void {
    const { clock, isInView, isUnread, show } = this.#parts
    if (isInView(message.roomId)) return
    const cancel = clock.after(NOTIFY_AFTER_MS, () => {
      this.#planned.delete(cancel)
      if (isUnread(message.roomId, message.seq) && !isInView(message.roomId)) show(message)
    })
    this.#planned.add(cancel)
  }

  close(): void {
    for (const cancel of this.#planned) cancel()
    this.#planned.clear()
  }
}
