import { useText } from '@/components/chat/i18n/TextContext'
import { useTitle } from '../state/useTitle'

/** Beside the lists, before a chat is chosen. */
export function HomeScreen() {
  const { t } = useText()
  useTitle(t.rooms)
  return (
    <div className="grid h-full place-items-center px-6 text-center">
      <div className="max-w-sm">
        <h1 className="font-semibold text-xl">{t.pickRoom}</h1>
        <p className="mt-2 text-muted">{t.pickRoomHint}</p>
      </div>
    </div>
  )
}
