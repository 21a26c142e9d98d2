import { type ReactNode, useState } from 'react'
import { Avatar } from '@/components/chat/common/Avatar'
import { Icon } from '@/components/chat/common/Icon'
import { useText } from '@/components/chat/i18n/TextContext'
import type { Session } from '../session'

export interface AccountProps {
  session: Session
  onSignOut: () => void
  /** The rooms in which messages wait to be sent. */
  findUnsent: () => Promise<readonly string[]>
  children?: ReactNode
}

/** Who is signed in, and the way out; it is asked about once where messages would not be sent. */
export function Account({ session, onSignOut, findUnsent, children }: AccountProps) {
  const { t } = useText()
  const [isAsking, setAsking] = useState(false)
  const { name, userId } = session
  const leave = async () => {
    const unsent = await findUnsent().catch(() => [])
    if (unsent.length === 0) onSignOut()
    else setAsking(true)
  }
  return (
    <footer className="border-line border-t px-4 py-3 pb-[max(0.75rem,env(safe-area-inset-bottom))]">
      <div className="mb-2 flex items-center gap-2.5">
        <Avatar id={userId} name={name} />
        <span className="sr-only">{t.signedInAs(name)}</span>
        <span aria-hidden="true" className="min-w-0 flex-1 truncate font-medium">
          {name}
        </span>
        {!isAsking && (
          <button type="button" className="button-quiet text-sm" onClick={() => void leave()}>
            <Icon name="out" className="size-4" />
            {t.signOut}
          </button>
        )}
      </div>
      {isAsking && (
        <div className="mb-2 text-sm">
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
      {children}
    </footer>
  )
}
