import { useCallback, useEffect, useRef, useState } from 'react'

export type Resource<T> =
  | { state: 'loading'; data?: T }
  | { state: 'ready'; data: T }
  | { state: 'failed'; error: unknown; data?: T }

/**
 * Loads something and keeps the last good answer while it loads again. `load` says by its identity
 * when there is something else to load. `reload` resolves once its own answer, or that of a later
 * one, is in, or has failed to come.
 */
export function useResource<T>(load: () => Promise<T>): {
  resource: Resource<T>
  reload: () => Promise<void>
  change: (edit: (data: T) => T) => void
} {
  const [resource, setResource] = useState<Resource<T>>({ state: 'loading' })
  const asked = useRef(0)
  const answered = useRef(0)

  const reload = useCallback(async () => {
    asked.current += 1
    const turn = asked.current
    // An answer that was overtaken by a later one is old.
    const take = (next: (last: Resource<T>) => Resource<T>) => {
      if (turn < answered.current) return
      answered.current = turn
      setResource(next)
    }
    await load().then(
      (data) => take(() => ({ state: 'ready', data })),
      (error: unknown) => take((last) => ({ ...last, state: 'failed', error })),
    )
  }, [load])

  useEffect(() => {
    void reload()
  }, [reload])

  /** Puts in what is known already, before it is loaded again. */
  const change = useCallback(
    (edit: (data: T) => T) =>
      setResource((last) => (last.data === undefined ? last : { ...last, data: edit(last.data) })),
    [],
  )
  return { resource, reload, change }
}
