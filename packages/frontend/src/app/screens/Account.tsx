import { type ReactNode, useId, useState } from 'react'
import { Avatar } from '@/components/chat/common/Avatar'
import { Icon } from '@/components/chat/common/Icon'
import { useText } from '@/components/chat/i18n/TextContext'
import type { Session } from '../session'

export interface AccountProps {
  session: Session
  onSignOut: () => void
  /** The rooms in which messages wait to be sent. */
  findUnsent: () => Promise<readonly string[]>
  /** What can be set, shown when asked for. */
  children?: ReactNode
}

/** Who is signed in, and the way out; it is asked about once where messages would not be sent. */
export function Account({ session, onSignOut, findUnsent, children }: AccountProps) {
  const { t } = useText()
  const [isAsking, setAsking] = useState(false)
  const [isOpen, setOpen] = useState(false)
  const settingsId = useId()
  const { name, userId } = session
  const leave = async () => {
    const unsent = await findUnsent().catch(() => [])
    if (unsent.length === 0) onSignOut()
    else setAsking(true)
  }
  return (
    <footer className="border-line border-t px-4 py-3 pb-[max(0.75rem,env(safe-area-inset-bottom))]">
      <div className="flex items-center gap-2.5">
        <Avatar id={userId} name={name} />
        <span className="sr-only">{t.signedInAs(name)}</span>
        <span aria-hidden="true" className="min-w-0 flex-1 truncate font-medium">
          {name}
        </span>
        <button
          type="button"
          aria-label={t.settings}
          title={t.settings}
          aria-expanded={isOpen}
          aria-controls={settingsId}
          className={`button-quiet px-2 ${isOpen ? 'bg-sunken text-ink' : ''}`}
          onClick={() => setOpen(!isOpen)}
        >
          <Icon name="settings" />
        </button>
        {!isAsking && (
          <button type="button" className="button-quiet text-sm" onClick={() => void leave()}>
            <Icon name="out" className="size-4" />
            {t.signOut}
          </button>
        )}
      </div>
      {isAsking && (
        <div className="mt-2 text-sm">
          <p role="alert">{t.unsentAtSignOut}</p>
          <div className="mt-1.5 flex flex-wrap gap-2">
            <button type="button" className="button-quiet" onClick={onSignOut}>
              {t.signOutAnyway}
            </button>
            <button type="button" className="button-quiet" onClick={() => setAsking(false)}>
              {t.staySignedIn}
            </button>
          </div>
        </div>
      )}
      <div id={settingsId} hidden={!isOpen} className="mt-3">
        {children}
      </div>
    </footer>
  )
}
