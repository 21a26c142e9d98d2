/** Rules about who is in a room, who types and how far each has read. */
import type { Member, PresenceStatus, ReadMarker } from '../../types/socket'
import type { ChatState } from './state'

/** Adds a member, or changes the one that is there. */
export function withMember(
  members: readonly Member[],
  userId: string,
  change: { status: PresenceStatus; lastSeen?: string },
): readonly Member[] {
  const place = members.findIndex((member) => member.userId === userId)
  const member = members[place]
  if (!member) return [...members, { userId, ...change }]
  return members.with(place, { ...member, ...change })
}

/** Presence is told of everybody one shares any room with; it adds nobody to this one. */
export function withPresence(
  members: readonly Member[],
  userId: string,
  change: { status: PresenceStatus; lastSeen: string },
): readonly Member[] {
  return members.some((member) => member.userId === userId)
    ? withMember(members, userId, change)
    : members
}

export function withoutTyping(state: ChatState, userId: string): readonly string[] {
  return state.typingUsers.includes(userId)
    ? state.typingUsers.filter((typing) => typing !== userId)
    : state.typingUsers
}

/** Read marks only go forward. */
export function withRead(
  markers: readonly ReadMarker[],
  { userId, messageId, seq, timestamp }: ReadMarker,
): readonly ReadMarker[] {
  const marker = { userId, messageId, seq, timestamp }
  const place = markers.findIndex((held) => held.userId === userId)
  const held = markers[place]
  if (!held) return [...markers, marker]
  return held.seq < seq ? markers.with(place, marker) : markers
}
