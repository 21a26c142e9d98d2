import type { OutgoingMessage } from '../chat/state'
import type { ChatError } from '../errors'

export interface OutboxEntry {
  readonly message: OutgoingMessage
  readonly status: 'pending' | 'failed'
  /** Why it failed. */
  readonly reason?: Reason
}

export type Reason = Pick<ChatError, 'code' | 'message'>

/** How many messages of one user may wait, those that failed included. */
export const OUTBOX_LIMIT = 500

/** No more is kept; what is kept already stays. */
export class OutboxFull extends Error {
  override readonly name = 'OutboxFull'
}

/** Where messages are kept until the server has them. */
export interface OutboxStore {
  /** Those of a room, in the order they are to be sent. */
  load(roomId: string): Promise<OutboxEntry[]>
  /**
   * Keeps one, or changes one that is kept; `end` puts it behind the others. A failed one that is
   * not kept any more stays away: somebody else has sent or discarded it.
   */
  put(entry: OutboxEntry, place?: 'end'): Promise<void>
  remove(id: string): Promise<void>
  /** The rooms in which messages wait to be sent. */
  rooms?(): Promise<string[]>
}

/** Keeps them as long as the page lives. */
export function memoryOutboxStore(): Required<OutboxStore> {
  const entries = new Map<string, OutboxEntry>()
  return {
    load: async (roomId) =>
      [...entries.values()].filter(({ message }) => message.roomId === roomId),
    put: async (entry, place) => {
      const { id } = entry.message
      if (!entries.has(id)) {
        if (entry.status === 'failed') return
        if (entries.size >= OUTBOX_LIMIT) throw new OutboxFull()
      }
      if (place === 'end') entries.delete(id)
      entries.set(id, entry)
    },
    remove: async (id) => {
      entries.delete(id)
    },
    rooms: async () => [
      ...new Set(
        [...entries.values()]
          .filter(({ status }) => status === 'pending')
          .map(({ message }) => message.roomId),
      ),
    ],
  }
}
