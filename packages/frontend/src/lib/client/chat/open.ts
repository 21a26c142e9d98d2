import { browserWake } from '../connection/wake'
import { browserMailboxes, ownerOf } from '../outbox/mailbox'
import { memoryOutboxStore } from '../outbox/store'
import { withDefaults } from '../settings'
import { systemClock } from '../time/clock'
import type { Channel } from '../transport/transport'
import { browserAttention } from './attention'
import { ChatClient } from './client'
import { Courier } from './courier'
import { type ChatSettings, defaultChatSettings } from './settings'

/** A chat of its own; it does nothing before it is bound to a channel and a room. */
export function createChat(settings: Partial<ChatSettings> = {}): ChatClient {
  return new ChatClient({
    clock: systemClock,
    random: Math.random,
    settings: withDefaults(defaultChatSettings, settings),
    outboxStore: memoryOutboxStore(),
    mailboxes: browserMailboxes,
    attention: browserAttention,
    wake: browserWake,
  })
}

/** How long a room is tried at most before the next one has its turn. */
const VISIT_MS = 60_000

/** From now on what waits in rooms that are not open is sent whenever the channel opens. */
export function sendFromEverywhere(channel: Channel): Courier {
  return new Courier({
    channel,
    clock: systemClock,
    mailbox: () => {
      const owner = ownerOf(channel, channel.userId)
      return owner === null ? null : browserMailboxes(channel, owner)
    },
    visit: (roomId) => visit(channel, roomId),
  })
}

async function visit(channel: Channel, roomId: string): Promise<void> {
  const chat = createChat()
  const unbind = chat.bind({ channel, isConnected: true, roomId })
  const stops = [unbind]
  await new Promise<void>((resolve) => {
    stops.push(systemClock.after(VISIT_MS, resolve))
    stops.push(channel.onChange(({ type }) => type === 'closed' && resolve()))
    stops.push(
      chat.subscribe(() => {
        const { error, isInRoom } = chat.getSnapshot()
        // It may not be entered any more.
        if (error && !isInRoom) resolve()
      }),
    )
    queueMicrotask(() => void chat.whenSent().then(resolve))
  })
  for (const stop of stops) stop()
}
