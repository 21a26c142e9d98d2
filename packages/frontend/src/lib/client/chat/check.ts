import { HISTORY_LIMIT_MAX } from '../../types/socket'
import { defined } from '../defined'
import { request } from '../transport/request'
import type { Channel } from '../transport/transport'
import { position } from './log'
import type { ChatParts } from './parts'

/** Asks for what is not final, and for what is new, and compares it with what is held. */
export async function check(channel: Channel, parts: ChatParts): Promise<void> {
  const { state, dispatch, clock, settings } = parts
  const before = state.getSnapshot()
  const after = position(before)
  if (before.roomId === null) return
  const outcome = await request(channel, clock, settings.ackTimeout, 'messages:history', {
    roomId: before.roomId,
    ...defined({ after }),
    limit: after === undefined ? 1 : HISTORY_LIMIT_MAX,
  })
  const now = state.getSnapshot()
  if (outcome.type !== 'replied' || now.roomId !== before.roomId || !now.isInRoom) return
  const { reply } = outcome
  if (reply.success)
    dispatch({
      type: 'checked',
      after,
      messages: reply.messages,
      hasMore: reply.hasMore,
      ...defined({ revision: reply.revision }),
    })
  // The position is gone, or the server does not know that one is there.
  else if (reply.code === 'not_found' || reply.code === 'not_in_room') dispatch({ type: 'damaged' })
}
