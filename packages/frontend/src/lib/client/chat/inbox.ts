import type { Unsubscribe } from '../store'
import type { Channel, ServerEvent, ServerPayload } from '../transport/transport'
import type { ChatAction } from './actions'

/** What each event means for the room that is open; those of other rooms are not for it. */
export function listen(
  channel: Channel,
  roomId: string,
  deliver: (action: ChatAction) => void,
): Unsubscribe {
  const inRoom = <E extends RoomEvent>(
    event: E,
    toAction: (payload: ServerPayload<E>) => ChatAction,
  ) =>
    channel.on(event, (payload) => {
      if (payload.roomId === roomId) deliver(toAction(payload))
    })
  const stops = [
    inRoom('message:new', (message) => ({ type: 'message', message })),
    inRoom('message:stream:start', (start) => ({ type: 'streamStarted', start })),
    inRoom('message:stream:chunk', (chunk) => ({ type: 'streamChunk', chunk })),
    inRoom('message:stream:thought', (thought) => ({ type: 'streamThought', thought })),
    inRoom('message:stream:end', (end) => ({ type: 'streamEnded', end })),
    inRoom('message:stream:error', (failure) => ({ type: 'streamFailed', failure })),
    inRoom('message:chosen', (chosen) => ({ type: 'chosen', chosen })),
    inRoom('message:deleted', (deleted) => ({ type: 'deleted', deleted })),
    inRoom('messages:read', (read) => ({ type: 'read', read })),
    inRoom('typing:start', ({ userId }) => ({ type: 'typing', userId, isTyping: true })),
    inRoom('typing:stop', ({ userId }) => ({ type: 'typing', userId, isTyping: false })),
    inRoom('user:joined', (user) => ({ type: 'userJoined', user })),
    inRoom('user:reconnected', (user) => ({ type: 'userJoined', user })),
    inRoom('user:left', (user) => ({ type: 'userLeft', user })),
    inRoom('room:changed', (changed) => ({ type: 'roomChanged', changed })),
    inRoom('room:updated', ({ title }) => ({ type: 'titled', title })),
    inRoom('room:resync', () => ({ type: 'damaged' })),
    channel.on('presence:changed', (presence) => deliver({ type: 'presence', presence })),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

/** The events that name their room. */
type RoomEvent = {
  [E in ServerEvent]: ServerPayload<E> extends { roomId: string } ? E : never
}[ServerEvent]
