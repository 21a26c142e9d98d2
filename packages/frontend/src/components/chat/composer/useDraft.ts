import { useCallback, useState } from 'react'

const key = (roomId: string) => `rejoinder.draft.${roomId}`

/** The unsent text of a room; a reload keeps it, closing the tab ends it. */
export function useDraft(roomId: string): [string, (text: string) => void] {
  const [draft, setDraft] = useState(() => sessionStorage.getItem(key(roomId)) ?? '')
  const change = useCallback(
    (text: string) => {
      setDraft(text)
      if (text) sessionStorage.setItem(key(roomId), text)
      else sessionStorage.removeItem(key(roomId))
    },
    [roomId],
  )
  return [draft, change]
}
