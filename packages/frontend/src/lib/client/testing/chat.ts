import { ChatClient, type ChatClientParts } from '../chat/client'
import type { ChatBinding } from '../chat/membership'
import { type ChatSettings, defaultChatSettings } from '../chat/settings'
import { memoryOutboxStore } from '../outbox/store'
import { ManualClock, settle } from './manualClock'
import { MemoryTransport } from './memoryTransport'
import { CHARACTER, ROOM } from './room'

/** A window that a test looks at, or not. */
export class ManualAttention {
  #isThere = true
  readonly #listeners = new Set<() => void>()

  isThere(): boolean {
    return this.#isThere
  }

  onReturn(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  leave(): void {
    this.#isThere = false
  }

  comeBack(): void {
    this.#isThere = true
    for (const listener of [...this.#listeners]) listener()
  }
}

export interface ChatStage {
  chat: ChatClient
  transport: MemoryTransport
  clock: ManualClock
  attention: ManualAttention
  /** The tab or the network comes back. */
  wake: () => void
  bind: (change?: Partial<ChatBinding>) => Promise<() => void>
  view: () => ReturnType<ChatClient['getSnapshot']>
  contents: () => string[]
}

/** Without the looks at the server that nothing gives cause for. */
const TRUSTING: Partial<ChatSettings> = { checkDelay: 1e9, checkInterval: 1e9 }

/** A chat on a transport that a test plays the server of; it is trusting unless it is told otherwise. */
export function chatStage(
  settings: Partial<ChatSettings> = TRUSTING,
  parts: Pick<ChatClientParts, 'mailboxes'> = {},
): ChatStage {
  const transport = new MemoryTransport()
  const clock = new ManualClock()
  const attention = new ManualAttention()
  const wakers = new Set<() => void>()
  const chat = new ChatClient({
    clock,
    random: () => 0,
    attention,
    wake: (listener) => {
      wakers.add(listener)
      return () => wakers.delete(listener)
    },
    settings: { ...defaultChatSettings, ...settings },
    outboxStore: memoryOutboxStore(),
    ...parts,
  })
  return {
    chat,
    transport,
    clock,
    attention,
    wake: () => {
      for (const waker of [...wakers]) waker()
    },
    bind: async (change = {}) => {
      const unbind = chat.bind({
        channel: transport,
        isConnected: true,
        roomId: ROOM,
        characterId: CHARACTER,
        ...change,
      })
      await settle()
      return unbind
    },
    view: chat.getSnapshot,
    contents: () => chat.getSnapshot().messages.map(({ content }) => content),
  }
}
