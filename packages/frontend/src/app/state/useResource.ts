import { useCallback, useEffect, useState } from 'react'

export type Resource<T> =
  | { state: 'loading'; data?: T }
  | { state: 'ready'; data: T }
  | { state: 'failed'; error: unknown; data?: T }

/**
 * Loads something and keeps the last good answer while it loads again. `load` says by its identity
 * when there is something else to load.
 */
export function useResource<T>(load: (signal: AbortSignal) => Promise<T>): {
  resource: Resource<T>
  reload: () => void
  change: (edit: (data: T) => T) => void
} {
  const [resource, setResource] = useState<Resource<T>>({ state: 'loading' })
  const [round, setRound] = useState(0)

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round loads the same again
  useEffect(() => {
    const abort = new AbortController()
    load(abort.signal).then(
      (data) => !abort.signal.aborted && setResource({ state: 'ready', data }),
      (error: unknown) =>
        !abort.signal.aborted && setResource((last) => ({ ...last, state: 'failed', error })),
    )
    return () => abort.abort()
  }, [load, round])

  const reload = useCallback(() => setRound((last) => last + 1), [])
  /** Puts in what is known already, before it is loaded again. */
  const change = useCallback(
    (edit: (data: T) => T) =>
      setResource((last) => (last.data === undefined ? last : { ...last, data: edit(last.data) })),
    [],
  )
  return { resource, reload, change }
}
