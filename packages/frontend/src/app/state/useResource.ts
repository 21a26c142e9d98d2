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
  /** What was put in while answers were on their way, with the turn of the last one asked for. */
  const edits = useRef<{ turn: number; edit: (data: T) => T }[]>([])

  const reload = useCallback(async () => {
    asked.current += 1
    const turn = asked.current
    // An answer that was overtaken by a later one is old.
    const take = (next: (last: Resource<T>) => Resource<T>) => {
      if (turn < answered.current) return
      answered.current = turn
      edits.current = edits.current.filter((each) => each.turn > turn)
      setResource(next)
    }
    // Nor does it know what became known after it was asked for.
    const edited = (data: T) =>
      edits.current
        .filter((each) => each.turn >= turn)
        .reduce((known, { edit }) => edit(known), data)
    await load().then(
      (data) => {
        const known = edited(data)
        take(() => ({ state: 'ready', data: known }))
      },
      (error: unknown) => take((last) => ({ ...last, state: 'failed', error })),
    )
  }, [load])

  useEffect(() => {
    void reload()
  }, [reload])

  /** Puts in what is known already, before it is loaded again; `edit` may be done twice. */
  const change = useCallback((edit: (data: T) => T) => {
    const isLoading = answered.current < asked.current
    if (isLoading) edits.current = [...edits.current, { turn: asked.current, edit }]
    setResource((last) => (last.data === undefined ? last : { ...last, data: edit(last.data) }))
  }, [])
  return { resource, reload, change }
}
