import { useCallback, useState } from 'react'

/** A browser may forbid it: then the page forgets, and works. */
function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}

const key = (roomId: string) => `rejoinder.draft.${roomId}`

/** The unsent text of a room; a reload keeps it, closing the tab ends it. */
export function useDraft(roomId: string): [string, (text: string) => void] {
  const [draft, setDraft] = useState(() => attempt(() => sessionStorage.getItem(key(roomId))) ?? '')
  const change = useCallback(
    (text: string) => {
      setDraft(text)
      attempt(() =>
        text ? sessionStorage.setItem(key(roomId), text) : sessionStorage.removeItem(key(roomId)),
      )
    },
    [roomId],
  )
  return [draft, change]
}
