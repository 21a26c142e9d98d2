import { useCallback, useState } from 'react'
import { useText } from '@/components/chat/i18n/TextContext'
import { RestError } from '@/index'

/** One thing after the other that is asked of the server, and what went wrong with it. */
export function useWork() {
  const { t } = useText()
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const sentenceOf = useCallback(
    (error: unknown) =>
      error instanceof RestError ? t.serverSaid(error.code, error.message) : t.serverUnreachable,
    [t],
  )
  /** Resolves to whether it was done. */
  const run = useCallback(
    async (work: () => Promise<void>): Promise<boolean> => {
      setBusy(true)
      setProblem(null)
      try {
        await work()
        return true
      } catch (error) {
        setProblem(sentenceOf(error))
        return false
      } finally {
        setBusy(false)
      }
    },
    [sentenceOf],
  )
  return { isBusy, problem, run, sentenceOf }
}
