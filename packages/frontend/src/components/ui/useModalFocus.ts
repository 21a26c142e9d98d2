import { type RefObject, useEffect, useRef } from 'react'

const FOCUSABLE = 'a[href], button:not([disabled]), input:not([disabled]), [tabindex="0"]'

/** Keeps the focus inside while a dialog is open, closes it on Escape, and gives the focus back. */
export function useModalFocus(dialog: RefObject<HTMLElement | null>, onClose: () => void): void {
  const close = useRef(onClose)
  useEffect(() => {
    close.current = onClose
  })
  useEffect(() => {
    const element = dialog.current
    if (!element) return
    const before = document.activeElement
    const focusables = () => [...element.querySelectorAll<HTMLElement>(FOCUSABLE)]
    focusables().at(-1)?.focus()

    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === 'Escape') {
        event.stopPropagation()
        close.current()
      } else if (event.key === 'Tab') {
        wrapFocus(event, focusables())
      }
    }
    // Nothing behind a modal may take the focus, whichever way it tries.
    const onFocusIn = (event: FocusEvent) => {
      if (event.target instanceof Node && !element.contains(event.target)) element.focus()
    }
    document.addEventListener('keydown', onKeyDown, true)
    document.addEventListener('focusin', onFocusIn)
    return () => {
      document.removeEventListener('keydown', onKeyDown, true)
      document.removeEventListener('focusin', onFocusIn)
      if (before instanceof HTMLElement) before.focus()
    }
  }, [dialog])
}

function wrapFocus(event: KeyboardEvent, focusables: HTMLElement[]): void {
  const first = focusables[0]
  const last = focusables.at(-1)
  const active = document.activeElement
  const isInside = focusables.some((focusable) => focusable === active)
  if (event.shiftKey ? active === first || !isInside : active === last || !isInside) {
    event.preventDefault()
    const next = event.shiftKey ? last : first
    next?.focus()
  }
}
