import type { ShownStatus } from '../../lib/hooks'
import { usePeopleTexts } from './peopleTexts'

export interface PresenceDotProps {
  /** Of a person, or of a character. */
  status: ShownStatus
  /** By default the browser's. */
  locale?: string | undefined
}

export interface PresenceLabelProps extends PresenceDotProps {
  /** When somebody was last seen who is offline, where one may know it. */
  lastSeen?: string | undefined
}

/** A dot beside a name that says how somebody is there, also to those who listen. */
export function PresenceDot({ status, locale }: PresenceDotProps) {
  const { texts } = usePeopleTexts(locale)
  return (
    <span
      role="img"
      aria-label={texts.presence[status]}
      title={texts.presence[status]}
      className="rejoinder-presence-dot"
      data-status={status}
    />
  )
}

/** The same in words, with when they were last seen. */
export function PresenceLabel({ status, lastSeen, locale }: PresenceLabelProps) {
  const { texts, locale: language } = usePeopleTexts(locale)
  const isSeen = status === 'offline' && lastSeen !== undefined
  return (
    <span className="rejoinder-presence">
      <span aria-hidden="true" className="rejoinder-presence-dot" data-status={status} />
      <span>
        {isSeen ? (
          <time dateTime={lastSeen}>
            {texts.lastSeen(momentName(lastSeen, new Date(), language))}
          </time>
        ) : (
          texts.presence[status]
        )}
      </span>
    </span>
  )
}

/** The time of today, or the date; with the year where it is another. */
export function momentName(timestamp: string, now: Date, locale: string): string {
  const then = new Date(timestamp)
  if (Number.isNaN(then.getTime())) return timestamp
  const isToday = then.toDateString() === now.toDateString()
  const isThisYear = then.getFullYear() === now.getFullYear()
  return then.toLocaleString(locale, {
    ...(isToday ? {} : { month: 'short', day: 'numeric' }),
    ...(isThisYear ? {} : { year: 'numeric' }),
    hour: 'numeric',
    minute: '2-digit',
  })
}
