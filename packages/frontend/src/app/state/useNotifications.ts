import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { type ChatMessage, Notifier, systemClock } from '@/index'
import { readStored, STORED, writeStored } from '../storage'
import { goTo } from './useRoute'

export const NOTIFY_MODES = ['off', 'text', 'notext'] as const
export type NotifyMode = (typeof NOTIFY_MODES)[number]

export interface NotificationSettings {
  mode: NotifyMode
  /** Whether the browser forbids what was chosen. */
  isBlocked: boolean
  /** To be called on a click: a browser asks the person only then. */
  choose: (mode: NotifyMode) => void
}

function storedMode(): NotifyMode {
  const stored = readStored(STORED.notifications)
  return NOTIFY_MODES.find((mode) => mode === stored) ?? 'off'
}

const permission = (): NotificationPermission =>
  'Notification' in window ? Notification.permission : 'denied'

/** What the person wants to be notified of, and what the browser allows. Nobody is asked before they choose it. */
export function useNotificationSettings(): NotificationSettings {
  const [mode, setMode] = useState(storedMode)
  const [allowed, setAllowed] = useState(permission)
  const choose = useCallback((next: NotifyMode) => {
    writeStored(STORED.notifications, next === 'off' ? null : next)
    setMode(next)
    if (next !== 'off' && permission() === 'default')
      void Notification.requestPermission().then(setAllowed, () => setAllowed(permission()))
    else setAllowed(permission())
  }, [])
  return { mode, isBlocked: mode !== 'off' && allowed === 'denied', choose }
}

export interface NotificationWords {
  /** What stands above the text: who wrote, and where. */
  titleOf: (message: ChatMessage) => string
  /** What stands there where the text is not to be seen. */
  hidden: string
  /** The text without its marks. */
  textOf: (message: ChatMessage) => string
}

export interface NotificationsOptions extends NotificationWords {
  mode: NotifyMode
  /** The room that is open. */
  roomId: string | undefined
  isUnread: (roomId: string, seq: number) => boolean
}

/** Notifies of messages in rooms that are not in view; what it returns is to be told what comes and is deleted. */
export function useNotifications(options: NotificationsOptions): Notifier {
  const now = useRef(options)
  useEffect(() => {
    now.current = options
  })
  const notifier = useMemo(
    () =>
      new Notifier({
        clock: systemClock,
        isOn: () => now.current.mode !== 'off' && permission() === 'granted',
        isInView: (roomId) =>
          roomId === now.current.roomId && document.visibilityState === 'visible',
        isUnread: (roomId, seq) => now.current.isUnread(roomId, seq),
        show: (message) => show(message, now.current),
      }),
    [],
  )
  useEffect(() => () => notifier.close(), [notifier])
  return notifier
}

function show(message: ChatMessage, { mode, titleOf, textOf, hidden }: NotificationsOptions): void {
  try {
    const notification = new Notification(titleOf(message), {
      body: mode === 'text' ? textOf(message) : hidden,
      // One for each message, however many tabs show it.
      tag: message.id,
    })
    notification.onclick = () => {
      window.focus()
      goTo({ page: 'room', roomId: message.roomId })
      notification.close()
    }
  } catch {
    // Some phones allow them to service workers only.
  }
}
