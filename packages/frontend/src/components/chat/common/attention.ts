import { useSyncExternalStore } from 'react'

const WINDOW_EVENTS = ['focus', 'blur', 'pageshow', 'pagehide'] as const

function subscribe(onChange: () => void): () => void {
  for (const name of WINDOW_EVENTS) window.addEventListener(name, onChange)
  document.addEventListener('visibilitychange', onChange)
  return () => {
    for (const name of WINDOW_EVENTS) window.removeEventListener(name, onChange)
    document.removeEventListener('visibilitychange', onChange)
  }
}

const isVisible = () => document.visibilityState === 'visible'
const isAttended = () => isVisible() && document.hasFocus()

/** Whether the page can be seen. */
export function useVisible(): boolean {
  return useSyncExternalStore(subscribe, isVisible)
}

/** Whether somebody may be taken to look at the page: it is visible and has the focus. */
export function useAttention(): boolean {
  return useSyncExternalStore(subscribe, isAttended)
}
