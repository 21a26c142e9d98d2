import { useEffect } from 'react'
import type { ChatMessage } from '@/index'
import { useAttention } from '../common/attention'
import type { InView } from '../messages/useChatScroll'

const isStored = ({ status }: ChatMessage) => status !== 'pending' && status !== 'failed'

/** How far one has read who sees that: everything, or what the server has up to there. */
export function seenUpTo(
  messages: readonly ChatMessage[],
  inView: InView | null,
): ChatMessage | undefined {
  if (!inView) return undefined
  if (inView.isLast) return messages.findLast(isStored)
  const place = messages.findLastIndex(({ id }) => id === inView.messageId)
  return messages.slice(0, place + 1).findLast(isStored)
}

/** Moves the read mark while the page is looked at, to the last message that is in view. */
export function useAutoRead(
  messages: readonly ChatMessage[],
  inView: InView | null,
  markRead: (messageId: string) => void,
): void {
  const attention = useAttention()
  const seen = seenUpTo(messages, inView)?.id
  useEffect(() => {
    if (attention && seen !== undefined) markRead(seen)
  }, [attention, seen, markRead])
}
