import { createContext, use, useEffect } from 'react'

const NAME = 'Rejoinder'

/** How much is unread that the person does not look at. */
export const UnreadTotal = createContext(0)

/** Names the page after what it shows, with how much is unread before it. */
export function useTitle(title: string): void {
  const unread = use(UnreadTotal)
  useEffect(() => {
    document.title = titleOf(title, unread)
  }, [title, unread])
}

export function titleOf(title: string, unread: number): string {
  const count = unread > 0 ? `(${unread > 99 ? '99+' : unread}) ` : ''
  return count + (title ? `${title} · ${NAME}` : NAME)
}
