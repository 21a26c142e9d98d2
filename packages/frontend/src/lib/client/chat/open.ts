import { memoryOutboxStore } from '../outbox/store'
import { withDefaults } from '../settings'
import { systemClock } from '../time/clock'
import { browserAttention } from './attention'
import { ChatClient } from './client'
import { type ChatSettings, defaultChatSettings } from './settings'

/** A chat of its own; it does nothing before it is bound to a channel and a room. */
export function createChat(settings: Partial<ChatSettings> = {}): ChatClient {
  return new ChatClient({
    clock: systemClock,
    random: Math.random,
    settings: withDefaults(defaultChatSettings, settings),
    outboxStore: memoryOutboxStore(),
    attention: browserAttention,
  })
}
