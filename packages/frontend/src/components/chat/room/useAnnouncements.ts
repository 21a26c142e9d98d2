import { useEffect, useRef, useState } from 'react'
import type { ChatMessage } from '@/index'
import { newlyWhole } from '../messages/announce'

interface Heard {
  ids: Set<string>
  newestSeq: number
}

/** Messages by others that became whole since the room was opened, the newest batch. */
export function useAnnouncements(
  messages: readonly ChatMessage[],
  userId: string,
  inRoom: boolean,
): readonly ChatMessage[] {
  const heard = useRef<Heard | null>(null)
  const [news, setNews] = useState<readonly ChatMessage[]>([])

  useEffect(() => {
    if (!inRoom && heard.current === null) return
    const last = heard.current
    const ids = new Set(
      messages.filter((each) => each.state !== 'streaming').map((each) => each.id),
    )
    heard.current = { ids, newestSeq: last?.newestSeq ?? seqBeforeStreams(messages) }
    if (last === null) return
    const fresh = newlyWhole(messages, last.ids, last.newestSeq, userId)
    if (fresh.length > 0) setNews(fresh)
  }, [messages, userId, inRoom])

  return news
}

/** An answer that runs while the room is opened is still news when it ends. */
function seqBeforeStreams(messages: readonly ChatMessage[]): number {
  const running = messages.find((each) => each.state === 'streaming')
  return running ? running.seq - 1 : (messages.at(-1)?.seq ?? 0)
}
