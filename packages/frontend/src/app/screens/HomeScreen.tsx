import type { ReactNode } from 'react'
import { useText } from '@/components/chat/i18n/TextContext'
import { useTitle } from '../state/useTitle'

/** Before a chat is chosen: the lists where they are all there is room for, else a word beside them. */
export function HomeScreen({ children }: { children: ReactNode }) {
  const { t } = useText()
  useTitle(t.rooms)
  if (children) return children
  return (
    <div className="grid h-full place-items-center px-6 text-center">
      <div className="max-w-sm">
        <h1 className="font-semibold text-xl">{t.pickRoom}</h1>
        <p className="mt-2 text-muted">{t.pickRoomHint}</p>
      </div>
    </div>
  )
}
