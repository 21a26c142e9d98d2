/** Who has which rooms of a channel open: only the last one leaves a room. */
import type { Channel } from '../transport/transport'

interface Held {
  /** How many have it in view. */
  views: number
  /** Told when nobody has it in view any more, in place of leaving it. */
  readonly watchers: Set<() => void>
}

const held = new WeakMap<Channel, Map<string, Held>>()

/** Whether somebody has it in view. */
export function isHeld(channel: Channel, roomId: string): boolean {
  return (held.get(channel)?.get(roomId)?.views ?? 0) > 0
}

/** It is in view from now on. */
export function hold(channel: Channel, roomId: string): void {
  of(channel, roomId).views += 1
}

/** It is not any more, for one; resolves to whether nobody wants to be in the room now. */
export function release(channel: Channel, roomId: string): boolean {
  const room = of(channel, roomId)
  room.views -= 1
  if (room.views > 0) return false
  for (const onOutOfView of [...room.watchers]) onOutOfView()
  return forget(channel, roomId)
}

/** Wants to be in the room without having it in view. */
export function watchRoom(
  channel: Channel,
  roomId: string,
  onOutOfView: () => void,
): () => boolean {
  of(channel, roomId).watchers.add(onOutOfView)
  return () => {
    of(channel, roomId).watchers.delete(onOutOfView)
    return forget(channel, roomId)
  }
}

/** Whether nobody wants to be in it. */
function forget(channel: Channel, roomId: string): boolean {
  const room = of(channel, roomId)
  const isFree = room.views === 0 && room.watchers.size === 0
  if (isFree) held.get(channel)?.delete(roomId)
  return isFree
}

function of(channel: Channel, roomId: string): Held {
  const rooms = held.get(channel) ?? new Map<string, Held>()
  held.set(channel, rooms)
  const room = rooms.get(roomId) ?? { views: 0, watchers: new Set<() => void>() }
  rooms.set(roomId, room)
  return room
}
