import { useEffect, useRef, useState } from 'react'
import type { ChatScroll } from '@/components/chat/messages/useChatScroll'
import type { UseSocketChatReturn } from '@/index'
import type { Place } from '../routing'

const PAGE = 100
const PAGES_MAX = 100
const SHOWN_MS = 2_500

/** How far one has come on the way to a message. */
export type Jump = 'none' | 'looking' | 'there' | 'missing'

/** Leads to a message of the room, however old: what is between it and here is loaded first. */
export function useJump(
  at: Place | undefined,
  chat: Pick<
    UseSocketChatReturn,
    'messages' | 'isInRoom' | 'hasMore' | 'isLoadingHistory' | 'loadMessageHistory'
  >,
  scroll: Pick<ChatScroll, 'box' | 'leave'>,
): Jump {
  const [jump, setJump] = useState<Jump>('none')
  const target = at?.messageId
  const way = useRef({ target: '', pages: 0, isOver: true })

  useEffect(() => {
    way.current = { target: target ?? '', pages: 0, isOver: target === undefined }
    setJump(target === undefined ? 'none' : 'looking')
  }, [target])

  useEffect(() => {
    const now = way.current
    if (!at || now.isOver || now.target !== at.messageId || !chat.isInRoom) return
    const { box } = scroll
    const row = box.current?.querySelector<HTMLElement>(
      `[data-message-id="${CSS.escape(at.messageId)}"]`,
    )
    if (row) {
      now.isOver = true
      setJump('there')
      scroll.leave()
      show(row)
      return
    }
    if (chat.isLoadingHistory) return
    const oldest = chat.messages[0]?.seq ?? 0
    if (oldest > at.seq && chat.hasMore && now.pages < PAGES_MAX) {
      now.pages += 1
      void chat.loadMessageHistory(PAGE)
    } else if (chat.messages.length > 0) {
      now.isOver = true
      setJump('missing')
    }
  })
  return jump
}

function show(row: HTMLElement): void {
  row.scrollIntoView({ block: 'center' })
  row.tabIndex = -1
  row.focus({ preventScroll: true })
  row.animate([{ background: 'var(--tint)' }, { background: 'transparent' }], SHOWN_MS)
}
