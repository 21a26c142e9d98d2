import { useState } from 'react'
import { type ChatMessage, leftOffAt, type ReadMarker } from '@/index'
import { useAttention } from '../common/attention'

/**
 * Where the person left off when they came here, or came back to the page: it stays while they read on, and
 * is found anew at the next visit.
 */
export function useLeftOff(
  messages: readonly ChatMessage[],
  readMarkers: readonly ReadMarker[],
  userId: string,
  isInRoom: boolean,
): number | null {
  const attention = useAttention()
  const [visit, setVisit] = useState({ isOver: true, leftOff: null as number | null })
  const isHere = attention && isInRoom && messages.length > 0
  if (isHere && visit.isOver) {
    const own = readMarkers.find((each) => each.userId === userId && !each.characterId)
    setVisit({ isOver: false, leftOff: leftOffAt(messages, own?.seq ?? 0, userId) })
  } else if (!attention && !visit.isOver) {
    setVisit({ ...visit, isOver: true })
  }
  return visit.leftOff
}
