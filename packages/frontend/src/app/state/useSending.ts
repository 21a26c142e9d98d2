import { useEffect, useState } from 'react'

export interface Sending {
  draft: string
  onDraft: (text: string) => void
  onSend: () => void
}

/**
 * The way of a draft into the room. A message must say with whom one talks: until that is known it
 * waits in the composer, and then it is sent as it stands there.
 */
export function useSending(
  [draft, setDraft]: [string, (text: string) => void],
  isRoomKnown: boolean,
  send: (text: string) => void,
): Sending {
  const [isWaiting, setWaiting] = useState(false)
  // biome-ignore lint/correctness/useExhaustiveDependencies: a wait ends when the room is known
  useEffect(() => {
    if (!isWaiting || !isRoomKnown) return
    setWaiting(false)
    send(draft.trim())
    setDraft('')
  }, [isWaiting, isRoomKnown])

  return {
    draft,
    onDraft: (text) => {
      setWaiting(false)
      setDraft(text)
    },
    onSend: () => setWaiting(true),
  }
}
