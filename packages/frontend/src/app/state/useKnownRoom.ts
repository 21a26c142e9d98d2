import { useEffect, useState } from 'react'
import type { RoomSummary } from '@/index'

/** What the list of rooms told last of one; an older list that comes in late takes nothing back. */
export function useRemembered(listed: RoomSummary | undefined): RoomSummary | undefined {
  const [room, setRoom] = useState(listed)
  if (listed && listed !== room) setRoom(listed)
  return listed ?? room
}

/**
 * Whether it is known which character a room has, if any. A room that is entered by a link is in the
 * list of one's rooms only afterwards, so the list is asked for again then.
 */
export function useIsKnown(
  room: RoomSummary | undefined,
  isInRoom: boolean,
  reloadRooms: () => Promise<void>,
): boolean {
  const [isAsked, setAsked] = useState(false)
  useEffect(() => {
    if (isInRoom) void reloadRooms().then(() => setAsked(true))
  }, [isInRoom, reloadRooms])
  return room !== undefined || isAsked
}
