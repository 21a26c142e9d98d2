import {
  type RefObject,
  useCallback,
  useEffect,
  useEffectEvent,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import { type Box, follows, keepPlace, measure, wantsOlder } from './scroll'

export interface ChatScroll {
  box: RefObject<HTMLElement | null>
  content: RefObject<HTMLOListElement | null>
  onScroll: () => void
  /** Whether the view follows new text, because the person is at the bottom. */
  following: boolean
  /** The last message that is in view to its end, once it is known. */
  inView: InView | null
  toBottom: () => void
  /** The view is led elsewhere, and follows no longer. */
  leave: () => void
}

export interface InView {
  messageId: string
  /** Whether no other is shown after it. */
  isLast: boolean
}

/**
 * Drives a chat's scroll box by the rules of `scroll.ts`. `firstKey` is the first message shown: when
 * another one comes before it, the view stays on what it showed. Rows carry `data-key`, messages
 * `data-message-id`. The view begins at `beginAt`, a row, where that is above it, and else at the end.
 */
export function useChatScroll(
  firstKey: string | undefined,
  hasOlder: boolean,
  onWantOlder: () => void,
  beginAt: string | undefined,
): ChatScroll {
  const box = useRef<HTMLElement>(null)
  const content = useRef<HTMLOListElement>(null)
  const last = useRef<Box>({ scrollTop: 0, scrollHeight: 0, clientHeight: 0 })
  const first = useRef<{ key: string | undefined; bottom: number }>({ key: undefined, bottom: 0 })
  const follow = useRef(true)
  const [following, setFollowing] = useState(true)
  const [inView, setInView] = useState<InView | null>(null)
  const hasBegun = useRef(false)

  const settle = useCallback(() => {
    const element = box.current
    if (!element) return
    if (follow.current) element.scrollTop = element.scrollHeight
    last.current = measure(element)
    setInView((known) => sameOr(known, lastInView(element)))
  }, [])

  const onScroll = useCallback(() => {
    const element = box.current
    if (!element) return
    const now = measure(element)
    follow.current = follows(follow.current, last.current, now)
    last.current = now
    setFollowing(follow.current)
    setInView((known) => sameOr(known, lastInView(element)))
    if (wantsOlder(now)) onWantOlder()
  }, [onWantOlder])

  const toBottom = useCallback(() => {
    follow.current = true
    setFollowing(true)
    settle()
  }, [settle])

  const leave = useCallback(() => {
    follow.current = false
    setFollowing(false)
  }, [])

  useLayoutEffect(() => {
    const element = box.current
    if (!element || firstKey === undefined || hasBegun.current) return
    hasBegun.current = true
    const top = beginAt === undefined ? undefined : topOf(content.current, beginAt)
    if (top === undefined || top >= element.scrollHeight - element.clientHeight) return
    follow.current = false
    setFollowing(false)
    element.scrollTop = top
  }, [firstKey, beginAt])

  // After every change and before the browser tells of a scroll that the change has caused: a list
  // that became shorter for a moment must not look like a person who scrolls up.
  useLayoutEffect(() => {
    const element = box.current
    const before = first.current
    if (element && before.key !== undefined && before.key !== firstKey && !follow.current) {
      const growth = bottomOf(content.current, before.key) - before.bottom
      element.scrollTop = keepPlace(element.scrollTop, growth)
    }
    settle()
    first.current = { key: firstKey, bottom: bottomOf(content.current, firstKey) }
  })

  useEffect(() => {
    if (!box.current || !content.current) return
    const observer = new ResizeObserver(settle)
    observer.observe(box.current)
    observer.observe(content.current)
    return () => observer.disconnect()
  }, [settle])

  // A page that does not fill the view cannot be scrolled, so it asks for more by itself: once for
  // each page, because a refusal would be asked for without end.
  const askForMore = useEffectEvent(() => {
    if (box.current && wantsOlder(measure(box.current))) onWantOlder()
  })
  useEffect(() => {
    if (firstKey !== undefined && hasOlder) askForMore()
  }, [firstKey, hasOlder])

  return { box, content, onScroll, following, inView, toBottom, leave }
}

/** Its lower edge, because the name above a message goes when one by the same author comes before it. */
function bottomOf(list: HTMLElement | null, key: string | undefined): number {
  if (!list || key === undefined) return 0
  const row = list.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)
  return row ? row.offsetTop + row.offsetHeight : 0
}

function topOf(list: HTMLElement | null, key: string): number | undefined {
  return list?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.offsetTop
}

/** From the end up, since the last one that is in view is mostly the last one. */
function lastInView(element: HTMLElement): InView | null {
  const { bottom } = element.getBoundingClientRect()
  const messages = element.querySelectorAll<HTMLElement>('[data-message-id]')
  for (let place = messages.length - 1; place >= 0; place -= 1) {
    const message = messages[place]
    const messageId = message?.dataset['messageId']
    const isSeen = message && message.getBoundingClientRect().bottom <= bottom + IN_VIEW_SLACK
    if (isSeen && messageId) return { messageId, isLast: place === messages.length - 1 }
  }
  return null
}

/** The same object while it says the same, so that nothing is drawn again. */
function sameOr(known: InView | null, next: InView | null): InView | null {
  const isSame = known?.messageId === next?.messageId && known?.isLast === next?.isLast
  return isSame ? known : next
}

/** So much of a message, in pixels, may be out of view where the screen has fractions of them. */
const IN_VIEW_SLACK = 2
