import type { Unsubscribe } from '../store'

/** Whether a person looks at the page. */
export interface Attention {
  isThere(): boolean
  onReturn(listener: () => void): Unsubscribe
}

/** A window that is visible and has the focus. */
export const browserAttention: Attention = {
  isThere: () =>
    typeof document === 'undefined' ||
    (document.visibilityState === 'visible' && document.hasFocus()),
  onReturn: (listener) => {
    if (typeof window === 'undefined') return () => undefined
    const onChange = () => {
      if (browserAttention.isThere()) listener()
    }
    window.addEventListener('focus', onChange)
    document.addEventListener('visibilitychange', onChange)
    return () => {
      window.removeEventListener('focus', onChange)
      document.removeEventListener('visibilitychange', onChange)
    }
  },
}
