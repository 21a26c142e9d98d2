import { useEffect, useState } from 'react'
import { copyText } from './copy'

const SHOWN_MS = 2000

export type CopyState = 'idle' | 'copied' | 'refused'

/** Copies on request and says for a moment how it went. */
export function useCopy(): [CopyState, (text: string) => void] {
  const [state, setState] = useState<CopyState>('idle')
  useEffect(() => {
    if (state === 'idle') return
    const timer = setTimeout(() => setState('idle'), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [state])
  const copy = (text: string) => {
    void copyText(text).then((done) => setState(done ? 'copied' : 'refused'))
  }
  return [state, copy]
}
