import type { Unsubscribe } from '../store'

/** Tells what the person at the page does. */
export interface ActivitySource {
  isVisible(): boolean
  /** Whenever the page gets visible or hidden (`seen`), and at each sign of a person (`active`). */
  onSign(listener: (sign: 'seen' | 'active') => void): Unsubscribe
}

const SIGNS = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart', 'focus'] as const

/** What the browser tells. */
export const browserActivity: ActivitySource = {
  isVisible: () => typeof document === 'undefined' || document.visibilityState === 'visible',
  onSign: (listener) => {
    if (typeof window === 'undefined') return () => undefined
    const onActive = () => listener('active')
    const onSeen = () => listener('seen')
    const how = { passive: true, capture: true }
    for (const sign of SIGNS) window.addEventListener(sign, onActive, how)
    document.addEventListener('visibilitychange', onSeen)
    return () => {
      for (const sign of SIGNS) window.removeEventListener(sign, onActive, how)
      document.removeEventListener('visibilitychange', onSeen)
    }
  },
}
