import type { ReactNode } from 'react'
import { useText } from '@/components/chat/i18n/TextContext'
import { useTitle } from '../state/useTitle'

/** Before a chat is chosen: the lists where they are all there is room for, else a word beside them; and that a chat is gone, if it is. */
export function HomeScreen({ children, isGone }: { children: ReactNode; isGone: boolean }) {
  const { t } = useText()
  useTitle(t.rooms)
  const gone = isGone && (
    <p role="status" className="m-3 rounded-xl bg-tint px-4 py-2 text-sm">
      {t.roomGone}
    </p>
  )
  if (children) {
    return (
      <div className="flex h-full min-h-0 flex-col">
        {gone}
        <div className="min-h-0 flex-1">{children}</div>
      </div>
    )
  }
  return (
    <div className="grid h-full place-items-center px-6 text-center">
      <div className="max-w-sm">
        {gone}
        <h1 className="font-semibold text-xl">{t.pickRoom}</h1>
        <p className="mt-2 text-muted">{t.pickRoomHint}</p>
      </div>
    </div>
  )
}
