import { HISTORY_LIMIT_MAX } from '../../types/socket'
import { request } from '../transport/request'
import type { Channel } from '../transport/transport'
import { hasHole, lastKnown, lastWhole } from './log'
import type { ChatParts } from './parts'

/**
 * Fetches what is missing, page by page. Resolves to whether it is all there; if not, only a new
 * snapshot helps, or the channel is closed.
 */
export async function catchUp(
  channel: Channel,
  { state, dispatch, clock, settings }: ChatParts,
): Promise<boolean> {
  for (;;) {
    const before = state.getSnapshot()
    const after = lastWhole(before)
    if (!hasHole(before)) return true
    if (before.roomId === null || after === undefined) return false
    const outcome = await request(channel, clock, settings.ackTimeout, 'messages:history', {
      roomId: before.roomId,
      after,
      limit: HISTORY_LIMIT_MAX,
    })
    if (outcome.type !== 'replied' || !outcome.reply.success) return false
    if (state.getSnapshot().roomId !== before.roomId) return false
    const { messages, hasMore } = outcome.reply
    dispatch({ type: 'newerPage', after, known: lastKnown(before), messages, hasMore })
    // A page that brings nothing on would be asked for again and again.
    if (state.getSnapshot().wholeTo === before.wholeTo) return false
  }
}
