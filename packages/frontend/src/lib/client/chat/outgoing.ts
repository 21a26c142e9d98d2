/** Rules about own messages on their way into the log. */
import type { ChatMessage } from '../../types/socket'
import { defined } from '../defined'
import type { StoredPosition } from './actions'
import { extendWhole, merge } from './log'
import type { ChatState, OutgoingMessage } from './state'

/** Puts a message at the end, also one that is sent again after it failed. */
export function queue(
  state: ChatState,
  message: OutgoingMessage,
  sender: { senderId: string; status: 'pending' | 'failed' },
): ChatState {
  const queued: ChatMessage = {
    ...message,
    seq: 0,
    role: 'user',
    senderId: sender.senderId,
    state: 'complete',
    status: sender.status,
  }
  return { ...state, outgoing: [...without(state, message.id), queued], error: null }
}

/** The server has it; where it says at which place, the message moves there. */
export function settle(
  state: ChatState,
  id: string,
  { seq, timestamp, parentSeq }: StoredPosition,
): ChatState {
  const message = state.outgoing.find((outgoing) => outgoing.id === id)
  if (!message) return state
  const sent: ChatMessage = {
    ...message,
    status: 'sent',
    timestamp: timestamp ?? message.timestamp,
    ...defined({ parentSeq }),
  }
  if (seq === undefined) return { ...state, outgoing: replaced(state, sent) }
  // Older than everything held: it is not asked for, and would stand there with a hole behind it.
  if (seq <= state.wholeTo && (state.log[0]?.seq ?? 0) > seq)
    return { ...state, outgoing: without(state, id) }
  const log = merge(state.log, [{ ...sent, seq }])
  return {
    ...state,
    outgoing: without(state, id),
    log,
    wholeTo: extendWhole(log, state.wholeTo, state.streams),
    lastSeq: Math.max(state.lastSeq, seq),
  }
}

export function failSend(state: ChatState, id: string): ChatState {
  const message = state.outgoing.find((outgoing) => outgoing.id === id)
  return message ? { ...state, outgoing: replaced(state, { ...message, status: 'failed' }) } : state
}

export function discard(state: ChatState, id: string): ChatState {
  return { ...state, outgoing: without(state, id) }
}

/** Without those that are in the log now. */
export function withoutStored(
  state: ChatState,
  messages: readonly ChatMessage[],
): Pick<ChatState, 'outgoing'> {
  const stored = new Set(messages.map((message) => message.id))
  const isStored = state.outgoing.some(({ id }) => stored.has(id))
  return {
    outgoing: isStored ? state.outgoing.filter(({ id }) => !stored.has(id)) : state.outgoing,
  }
}

function without(state: ChatState, id: string): readonly ChatMessage[] {
  return state.outgoing.filter((outgoing) => outgoing.id !== id)
}

function replaced(state: ChatState, message: ChatMessage): readonly ChatMessage[] {
  return state.outgoing.map((outgoing) => (outgoing.id === message.id ? message : outgoing))
}
