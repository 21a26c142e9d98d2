import { type RefObject, useLayoutEffect } from 'react'

/** Lets a field grow with its text; the style sheet says how far. */
export function useHeight(field: RefObject<HTMLTextAreaElement | null>, text: string): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is measured is the element, and it is the text that changes it
  useLayoutEffect(() => {
    const element = field.current
    if (!element) return
    element.style.height = 'auto'
    element.style.height = `${element.scrollHeight}px`
  }, [field, text])
}
