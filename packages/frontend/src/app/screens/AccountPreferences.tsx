import { useCallback, useId, useState } from 'react'
import { useText } from '@/components/chat/i18n/TextContext'
import { getMe, updateMe } from '@/index'
import { SERVER } from '../server'
import type { NotificationSettings, NotifyMode } from '../state/useNotifications'
import { useResource } from '../state/useResource'
import { Failure } from './Failure'
import { Choice } from './Preferences'

export interface AccountPreferencesProps {
  token: string
  notifications: NotificationSettings
}

/** What others may know of the person, and what the person wants to be told. */
export function AccountPreferences({ token, notifications }: AccountPreferencesProps) {
  const { t } = useText()
  const { mode, isBlocked, choose } = notifications
  const names: Record<NotifyMode, string> = {
    off: t.notifyOff,
    text: t.notifyWithText,
    notext: t.notifyWithoutText,
  }
  return (
    <div className="mt-2 flex flex-col gap-2">
      <Choice
        label={t.notifications}
        value={mode}
        options={(['off', 'text', 'notext'] as const).map((each) => [each, names[each]])}
        onChange={choose}
      />
      {isBlocked && (
        <p role="status" className="text-muted text-sm">
          {t.notifyBlocked}
        </p>
      )}
      <HideLastSeen token={token} />
    </div>
  )
}

function HideLastSeen({ token }: { token: string }) {
  const { t } = useText()
  const id = useId()
  const load = useCallback(() => getMe({ url: SERVER, token }), [token])
  const { resource: me, change } = useResource(load)
  const [error, setError] = useState<unknown>(null)
  const choose = (hideLastSeen: boolean) => {
    setError(null)
    const show = (shown: boolean) => change((last) => ({ ...last, hideLastSeen: shown }))
    show(hideLastSeen)
    updateMe({ hideLastSeen }, { url: SERVER, token }).then(
      (next) => show(next.hideLastSeen),
      (reason: unknown) => {
        show(!hideLastSeen)
        setError(reason)
      },
    )
  }
  if (!me.data) return null
  return (
    <>
      <label htmlFor={id} className="flex min-h-11 items-center gap-2.5 text-sm">
        <input
          id={id}
          type="checkbox"
          className="size-4.5 accent-accent"
          checked={me.data.hideLastSeen}
          onChange={(event) => choose(event.target.checked)}
        />
        {t.hideLastSeen}
      </label>
      {error !== null && <Failure error={error} />}
    </>
  )
}
