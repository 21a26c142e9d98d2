import { type ChatMessage, type ReadMarker, receiptOf } from '@/index'

/** The last message of one's own that the server has. */
export function lastOwn(messages: readonly ChatMessage[], userId: string): ChatMessage | undefined {
  return messages.findLast(
    (message) =>
      message.role === 'user' &&
      message.senderId === userId &&
      message.status !== 'pending' &&
      message.status !== 'failed',
  )
}

/** What stands before the id of a character among readers. */
export const CHARACTER = 'character:'

/** The others who have read up to a message: people by their ids, then characters. */
export function readersOf(
  message: ChatMessage | undefined,
  markers: readonly ReadMarker[],
  userId: string,
): string[] {
  if (!message) return []
  const { users, characters } = receiptOf(message, markers, userId)
  return [...users, ...characters.map((id) => CHARACTER + id)]
}
