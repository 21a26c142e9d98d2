import { useState } from 'react'

/** Why the room cannot be entered. What went wrong while one was in it says nothing about that. */
export function useRefusal(error: Error | null, isInRoom: boolean): Error | null {
  const [earlier, setEarlier] = useState<Error | null>(null)
  if (isInRoom && error !== earlier) setEarlier(error)
  return isInRoom || error === earlier ? null : error
}
