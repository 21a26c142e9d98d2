import { useMemo, useSyncExternalStore } from 'react'
import { hashOf, parseHash, type Route } from '../routing'

function subscribe(onChange: () => void): () => void {
  window.addEventListener('hashchange', onChange)
  return () => window.removeEventListener('hashchange', onChange)
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash)
  return useMemo(() => parseHash(hash), [hash])
}

export function goTo(route: Route): void {
  window.location.hash = hashOf(route)
}
