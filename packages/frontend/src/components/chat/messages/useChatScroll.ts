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
  toBottom: () => void
}

/**
 * Drives a chat's scroll box by the rules of `scroll.ts`. `firstKey` is the first message shown: when
 * another one comes before it, the view stays on what it showed. Rows carry `data-key`.
 */
export function useChatScroll(
  firstKey: string | undefined,
  hasOlder: boolean,
  onWantOlder: () => void,
): ChatScroll {
  const box = useRef<HTMLElement>(null)
  const content = useRef<HTMLOListElement>(null)
  const last = useRef<Box>({ scrollTop: 0, scrollHeight: 0, clientHeight: 0 })
  const first = useRef<{ key: string | undefined; bottom: number }>({ key: undefined, bottom: 0 })
  const follow = useRef(true)
  const [following, setFollowing] = useState(true)

  const settle = useCallback(() => {
    const element = box.current
    if (!element) return
    if (follow.current) element.scrollTop = element.scrollHeight
    last.current = measure(element)
  }, [])

  const onScroll = useCallback(() => {
    const element = box.current
    if (!element) return
    const now = measure(element)
    follow.current = follows(follow.current, last.current, now)
    last.current = now
    setFollowing(follow.current)
    if (wantsOlder(now)) onWantOlder()
  }, [onWantOlder])

  const toBottom = useCallback(() => {
    follow.current = true
    setFollowing(true)
    settle()
  }, [settle])

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

  return { box, content, onScroll, following, toBottom }
}

/** Its lower edge, because the name above a message goes when one by the same author comes before it. */
function bottomOf(list: HTMLElement | null, key: string | undefined): number {
  if (!list || key === undefined) return 0
  const row = list.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)
  return row ? row.offsetTop + row.offsetHeight : 0
}
