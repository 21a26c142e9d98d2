import { useCallback, useEffect, useState } from 'react'
import { type SearchHit, type SearchPage, searchMessages } from '@/index'
import { SERVER } from '../server'

/** While somebody writes, it is looked only once they pause. */
const PAUSE_MS = 250

export interface Search {
  query: string
  setQuery: (query: string) => void
  /** Whether there is something to look for. */
  isOn: boolean
  hits: readonly SearchHit[]
  isLooking: boolean
  isIncomplete: boolean
  hasMore: boolean
  more: () => void
  error: unknown
}

interface Found {
  hits: SearchHit[]
  page: SearchPage | null
  error: unknown
  isLooking: boolean
}

const NOTHING: Found = { hits: [], page: null, error: null, isLooking: false }

/** Looks for words in all chats of whoever has the token. */
export function useSearch(token: string): Search {
  const [query, setQuery] = useState('')
  const [found, setFound] = useState<Found>(NOTHING)
  const wanted = query.trim()

  const look = useCallback(
    (before: string | undefined, signal: AbortSignal) => {
      setFound((last) => ({ ...last, isLooking: true }))
      searchMessages(wanted, { url: SERVER, token, before, signal }).then(
        (page) =>
          setFound((last) => ({
            hits: before === undefined ? page.hits : [...last.hits, ...page.hits],
            page,
            error: null,
            isLooking: false,
          })),
        (error: unknown) => {
          if (!signal.aborted) setFound((last) => ({ ...last, error, isLooking: false }))
        },
      )
    },
    [wanted, token],
  )

  const [turn, setTurn] = useState<AbortController | null>(null)
  useEffect(() => {
    const abort = new AbortController()
    setTurn(abort)
    if (wanted === '') {
      setFound(NOTHING)
      return
    }
    const timer = setTimeout(() => look(undefined, abort.signal), PAUSE_MS)
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [wanted, look])

  const { hits, page, error, isLooking } = found
  return {
    query,
    setQuery,
    isOn: wanted !== '',
    hits,
    isLooking: isLooking || (wanted !== '' && page === null && error === null),
    isIncomplete: page?.complete === false,
    hasMore: page?.hasMore ?? false,
    more: () => {
      if (turn && page?.next !== undefined) look(page.next, turn.signal)
    },
    error,
  }
}
