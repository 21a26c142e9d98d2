import { useState } from 'react'

/** Whether something came in at the end since the person scrolled away from it. */
export function useUnseen(newestId: string | undefined, following: boolean): boolean {
  const [seen, setSeen] = useState(newestId)
  if (following && seen !== newestId) setSeen(newestId)
  return !following && seen !== newestId
}
