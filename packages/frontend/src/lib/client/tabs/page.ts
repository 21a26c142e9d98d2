import type { Unsubscribe } from '../store'

export interface PageHandlers {
  /** It can be seen now, or not. */
  onVisibility: () => void
  /** It will not run for a while, and perhaps never again. */
  onSuspend: () => void
  onResume: () => void
}

/** What becomes of a page in its browser. */
export interface PageLife {
  isVisible: () => boolean
  watch: (handlers: PageHandlers) => Unsubscribe
}

export const browserPage: PageLife = {
  isVisible: () => typeof document === 'undefined' || document.visibilityState === 'visible',
  watch: ({ onVisibility, onSuspend, onResume }) => {
    // A page that is kept to go back to sleeps, too; one that is closed has no use for it.
    const onHide = ({ persisted }: PageTransitionEvent) => {
      if (persisted) onSuspend()
    }
    document.addEventListener('visibilitychange', onVisibility)
    document.addEventListener('freeze', onSuspend)
    document.addEventListener('resume', onResume)
    window.addEventListener('pagehide', onHide)
    window.addEventListener('pageshow', onResume)
    return () => {
      document.removeEventListener('visibilitychange', onVisibility)
      document.removeEventListener('freeze', onSuspend)
      document.removeEventListener('resume', onResume)
      window.removeEventListener('pagehide', onHide)
      window.removeEventListener('pageshow', onResume)
    }
  },
}
