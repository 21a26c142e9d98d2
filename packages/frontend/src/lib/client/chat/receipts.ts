/** Rules about how far a message has come: on its way, stored, read by others. */
import type { ChatMessage, ReadMarker } from '../../types/socket'

export interface Receipt {
  state: 'pending' | 'failed' | 'stored' | 'read'
  /** The other people who have read it. */
  users: readonly string[]
  /** The characters that have taken it up. */
  characters: readonly string[]
}

/** Everything up to a mark is read; one's own mark says nothing. */
export function receiptOf(
  message: Pick<ChatMessage, 'seq' | 'senderId' | 'status'>,
  markers: readonly ReadMarker[],
  userId: string | undefined,
): Receipt {
  if (message.status === 'pending' || message.status === 'failed')
    return { state: message.status, users: [], characters: [] }
  const readers = markers.filter(({ seq }) => seq >= message.seq)
  const users = readers
    .filter((each) => each.characterId === undefined)
    .map((each) => each.userId)
    .filter((each) => each !== userId && each !== message.senderId)
  const characters = readers.flatMap(({ characterId }) => characterId ?? [])
  const isRead = users.length > 0 || characters.length > 0
  return { state: isRead ? 'read' : 'stored', users, characters }
}

/** Where one left off: the line is after it, if others have written since. */
export function leftOffAt(
  messages: readonly Pick<ChatMessage, 'seq' | 'senderId' | 'role'>[],
  readTo: number,
  userId: string | undefined,
): number | null {
  // Who has never been here has not left off anywhere.
  if (readTo === 0) return null
  const isNew = messages.some(
    ({ seq, senderId, role }) => seq > readTo && (role === 'character' || senderId !== userId),
  )
  return isNew ? readTo : null
}
