import { useEffect } from 'react'
import type { ChatMessage } from '@/index'
import { useAttention } from '../common/attention'

/** The newest message that counts as read by one who looks at the end of the conversation. */
export function newestStored(messages: readonly ChatMessage[]): ChatMessage | undefined {
  return messages.findLast((each) => each.status !== 'pending' && each.status !== 'failed')
}

/** Moves the read mark while the page is looked at and its newest message is in view. */
export function useAutoRead(
  messages: readonly ChatMessage[],
  inView: boolean,
  markRead: (messageId: string) => void,
): void {
  const attention = useAttention()
  const newest = newestStored(messages)?.id
  useEffect(() => {
    if (attention && inView && newest !== undefined) markRead(newest)
  }, [attention, inView, newest, markRead])
}
