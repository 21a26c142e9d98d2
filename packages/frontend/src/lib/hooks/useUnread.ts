import { useEffect, useMemo, useState, useSyncExternalStore } from 'react'
import {
  type ChatSocket,
  createUnread,
  type KnownRoom,
  socketTransport,
  type UnreadHandlers,
} from '../client'

export interface UseUnreadOptions extends UnreadHandlers {
  /** From `useSocket`. */
  socket: ChatSocket | null
  /** One's rooms as `listRooms` gives them. */
  rooms: readonly KnownRoom[]
  /** Who one is, where the token does not tell. */
  userId?: string | undefined
  /** So many of the rooms are entered without being in view; by default 20. Holds from the first render on. */
  roomsMax?: number | undefined
}

export interface UseUnreadReturn {
  /** How many messages of others are unread in a room; 100 stands for that and more. */
  of: (roomId: string) => number
  /** The same for all rooms together. */
  total: number
  /** Whether a message is not read yet, on any of one's devices. */
  isUnread: (roomId: string, seq: number) => boolean
}

/** What is unread in one's rooms, as it happens. It moves no read mark. */
export function useUnread(options: UseUnreadOptions): UseUnreadReturn {
  const { socket, rooms, userId, roomsMax, onMessage, onDeleted, onStale } = options
  const [unread] = useState(() => createUnread(roomsMax))
  const channel = useMemo(() => socket && socketTransport(socket), [socket])
  const counts = useSyncExternalStore(unread.subscribe, unread.getSnapshot, unread.getSnapshot)

  useEffect(() => {
    unread.setHandlers({ onMessage, onDeleted, onStale })
  })
  useEffect(() => unread.update({ channel, rooms, userId }), [unread, channel, rooms, userId])
  useEffect(() => () => unread.close(), [unread])

  return useMemo(
    () => ({
      of: (roomId) => counts.rooms.get(roomId) ?? 0,
      total: counts.total,
      isUnread: (roomId, seq) => unread.isUnread(roomId, seq),
    }),
    [counts, unread],
  )
}
