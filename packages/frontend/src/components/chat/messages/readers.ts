import type { ChatMessage, ReadMarker } from '@/index'

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

/** The other people who have read up to a message. */
export function readersOf(
  message: ChatMessage | undefined,
  markers: readonly ReadMarker[],
  userId: string,
): string[] {
  if (!message) return []
  return markers
    .filter((marker) => marker.characterId === undefined && marker.userId !== userId)
    .filter((marker) => marker.seq >= message.seq)
    .map((marker) => marker.userId)
}
