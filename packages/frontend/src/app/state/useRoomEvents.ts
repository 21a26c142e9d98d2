import { useEffect } from 'react'
import type { ChatSocket, RoomDeleted, RoomUpdated } from '@/index'

export interface RoomEvents {
  onTitle: (update: RoomUpdated) => void
  onDeleted: (deleted: RoomDeleted) => void
}

/** What the server tells of rooms that one is a member of, whichever is open. */
export function useRoomEvents(socket: ChatSocket | null, { onTitle, onDeleted }: RoomEvents) {
  useEffect(() => {
    if (!socket) return
    socket.on('room:updated', onTitle)
    socket.on('room:deleted', onDeleted)
    return () => {
      socket.off('room:updated', onTitle)
      socket.off('room:deleted', onDeleted)
    }
  }, [socket, onTitle, onDeleted])
}
