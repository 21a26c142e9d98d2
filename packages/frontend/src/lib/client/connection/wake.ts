import type { Unsubscribe } from '../store'

/** Tells when the network, the page or the tab comes back. */
export type WakeSource = (listener: () => void) => Unsubscribe

/** A hidden tab's timers run once a minute at best, and a sleeping one's not at all: look at once. */
export const browserWake: WakeSource = (listener) => {
  if (typeof window === 'undefined') return () => undefined
  const onVisibility = () => {
    if (document.visibilityState === 'visible') listener()
  }
  window.addEventListener('online', listener)
  window.addEventListener('pageshow', listener)
  document.addEventListener('visibilitychange', onVisibility)
  return () => {
    window.removeEventListener('online', listener)
    window.removeEventListener('pageshow', listener)
    document.removeEventListener('visibilitychange', onVisibility)
  }
}

/** One that something else may wake, too. */
export function withBell(wake: WakeSource): { wake: WakeSource; ring: () => void } {
  const listeners = new Set<() => void>()
  return {
    wake: (listener) => {
      const stop = wake(listener)
      listeners.add(listener)
      return () => {
        stop()
        listeners.delete(listener)
      }
    },
    ring: () => {
      for (const listener of [...listeners]) listener()
    },
  }
}
