import type { ErrorCode } from '../../types/socket'
import { ChatError } from '../errors'
import { type Outcome, request } from '../transport/request'
import type { Channel, ClientEvent, ClientPayload, Reply } from '../transport/transport'
import type { ChatParts } from './parts'

/** Asks for something of the open room; what goes wrong is the room's error, and the answer `null`. */
export async function ask<E extends ClientEvent>(
  channel: Channel | null,
  { clock, settings, dispatch }: ChatParts,
  event: E,
  payload: ClientPayload<E>,
): Promise<Reply<E> | null> {
  if (!channel) return null
  return settle(await request(channel, clock, settings.ackTimeout, event, payload), dispatch)
}

/** The same, as often as a message is sent: for what may be asked for twice without harm. */
export async function askAgain<E extends ClientEvent>(
  channel: Channel | null,
  { clock, settings, dispatch }: ChatParts,
  event: E,
  payload: ClientPayload<E>,
): Promise<Reply<E> | null> {
  if (!channel) return null
  for (let retries = 0; ; retries += 1) {
    const outcome = await request(channel, clock, settings.ackTimeout, event, payload)
    if (outcome.type !== 'timeout' || retries >= settings.maxRetries)
      return settle(outcome, dispatch)
  }
}

function settle<E extends ClientEvent>(
  outcome: Outcome<E>,
  dispatch: ChatParts['dispatch'],
): Reply<E> | null {
  const error = errorOf(outcome)
  if (error) dispatch({ type: 'failed', error })
  return outcome.type === 'replied' && !error ? outcome.reply : null
}

function errorOf<E extends ClientEvent>(outcome: Outcome<E>): ChatError | null {
  switch (outcome.type) {
    case 'timeout':
      return new ChatError('timeout', 'The server did not answer in time')
    case 'closed':
      // The connection's own state says so already.
      return null
    case 'replied': {
      const reply: { success: boolean; code?: ErrorCode; error?: string } = outcome.reply
      if (reply.success) return null
      const code = reply.code ?? 'internal'
      return new ChatError(code, reply.error ?? code)
    }
  }
}
