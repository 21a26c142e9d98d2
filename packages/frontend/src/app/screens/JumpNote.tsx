import { useText } from '@/components/chat/i18n/TextContext'
import type { Jump } from '../state/useJump'

/** How far one has come on the way to a message, unless one is there. */
export function JumpNote({ jump }: { jump: Jump }) {
  const { t } = useText()
  if (jump !== 'looking' && jump !== 'missing') return null
  return (
    <p role="status" className="border-line border-b bg-surface px-4 py-2 text-muted text-sm">
      {jump === 'looking' ? t.hitLooking : t.hitMissing}
    </p>
  )
}
