import { useEffect } from 'react'

const NAME = 'Rejoinder'

/** Names the page after what it shows. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · ${NAME}` : NAME
  }, [title])
}
