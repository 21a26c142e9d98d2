import { useMemo } from 'react'
import { type ChatView, type Receipt, receiptOf } from '../client'

export interface UseReadReceiptsOptions {
  /** From `useSocketChat`. */
  chat: Pick<ChatView, 'messages' | 'readMarkers'>
  /** Who one is. */
  userId: string | undefined
}

export interface UseReadReceiptsReturn {
  /** How far a message has come, and who has read it; `undefined` of one that is not held. */
  of: (messageId: string) => Receipt | undefined
}

/** How far messages have come: on their way, stored, read by people and taken up by characters. */
export function useReadReceipts({ chat, userId }: UseReadReceiptsOptions): UseReadReceiptsReturn {
  const { messages, readMarkers } = chat
  return useMemo(
    () => ({
      of: (messageId) => {
        const message = messages.findLast(({ id }) => id === messageId)
        return message && receiptOf(message, readMarkers, userId)
      },
    }),
    [messages, readMarkers, userId],
  )
}
