/** Rules about who is in a room, who types and how far each has read. */
import type { Member, PresenceStatus, ReadMarker } from '../../types/socket'
import type { ChatState } from './state'

interface Shown {
  status: PresenceStatus
  /** Absent where nobody may know it; then what was known is forgotten. */
  lastSeen?: string
}

/** Adds a member, or changes the one that is there. */
export function withMember(
  members: readonly Member[],
  userId: string,
  shown: Shown,
): readonly Member[] {
  const place = members.findIndex((member) => member.userId === userId)
  const member = members[place]
  if (!member) return [...members, { userId, ...shown }]
  const { lastSeen: _, ...known } = member
  return members.with(place, { ...known, ...shown })
}

/** Presence is told of everybody one shares any room with; it adds nobody to this one. */
export function withPresence(
  members: readonly Member[],
  userId: string,
  shown: Shown,
): readonly Member[] {
  return members.some((member) => member.userId === userId)
    ? withMember(members, userId, shown)
    : members
}

export function withoutTyping(state: ChatState, userId: string): readonly string[] {
  return state.typingUsers.includes(userId)
    ? state.typingUsers.filter((typing) => typing !== userId)
    : state.typingUsers
}

/** Read marks only go forward. */
export function withRead(markers: readonly ReadMarker[], read: ReadMarker): readonly ReadMarker[] {
  const { userId, messageId, seq, timestamp, characterId } = read
  const marker: ReadMarker = { userId, messageId, seq, timestamp }
  if (characterId !== undefined) marker.characterId = characterId
  const place = markers.findIndex((held) => isOfSame(held, read))
  const held = markers[place]
  if (!held) return [...markers, marker]
  return held.seq < seq ? markers.with(place, marker) : markers
}

/** A character's mark names the user whose message it has read, and is not theirs. */
function isOfSame(one: ReadMarker, other: ReadMarker): boolean {
  if (one.characterId !== other.characterId) return false
  return one.characterId !== undefined || one.userId === other.userId
}

/** How far one has read. */
export function readTo(markers: readonly ReadMarker[], userId: string | undefined): number {
  const own = markers.find((each) => each.userId === userId && each.characterId === undefined)
  return own?.seq ?? 0
}
