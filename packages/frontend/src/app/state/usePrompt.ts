import { useCallback, useState } from 'react'
import { type AnswerPrompt, type ErrorCode, getPrompt, RestError } from '@/index'
import { SERVER } from '../server'

interface Shown {
  messageId: string
  prompt?: AnswerPrompt
  failure?: ErrorCode
}

/** What a model was asked for one answer, fetched when somebody wants to see it. */
export function usePrompt(roomId: string, token: string) {
  const [shown, setShown] = useState<Shown>()
  const open = useCallback(
    (messageId: string) => {
      setShown({ messageId })
      // Meanwhile it may have been closed, or another one opened.
      const take = (known: Omit<Shown, 'messageId'>) =>
        setShown((now) => (now?.messageId === messageId ? { messageId, ...known } : now))
      getPrompt(roomId, messageId, { url: SERVER, token }).then(
        (prompt) => take({ prompt }),
        (error: unknown) => take({ failure: error instanceof RestError ? error.code : 'internal' }),
      )
    },
    [roomId, token],
  )
  const close = useCallback(() => setShown(undefined), [])
  return { shown, open, close }
}
