import type { OutgoingMessage } from '../chat/state'

export interface OutboxEntry {
  readonly message: OutgoingMessage
  readonly status: 'pending' | 'failed'
}

/** Where messages are kept until the server has them. */
export interface OutboxStore {
  /** Those of a room, in the order they were put first. */
  load(roomId: string): Promise<OutboxEntry[]>
  put(entry: OutboxEntry): Promise<void>
  remove(id: string): Promise<void>
}

/** Keeps them as long as the page lives. */
export function memoryOutboxStore(): OutboxStore {
  const entries = new Map<string, OutboxEntry>()
  return {
    load: (roomId) =>
      Promise.resolve([...entries.values()].filter(({ message }) => message.roomId === roomId)),
    put: (entry) => {
      entries.set(entry.message.id, entry)
      return Promise.resolve()
    },
    remove: (id) => {
      entries.delete(id)
      return Promise.resolve()
    },
  }
}
