import { usePeopleTexts } from './peopleTexts'

export interface UnreadBadgeProps {
  /** From `useUnread`. */
  count: number
  /** By default the browser's. */
  locale?: string | undefined
}

const SHOWN_MAX = 99

/** How many messages are unread; nothing where none are. */
export function UnreadBadge({ count, locale }: UnreadBadgeProps) {
  const { texts } = usePeopleTexts(locale)
  if (count <= 0) return null
  return (
    <span className="rejoinder-badge">
      <span aria-hidden="true">{count > SHOWN_MAX ? `${SHOWN_MAX}+` : count}</span>
      <span className="rejoinder-only-spoken">{texts.unread(count)}</span>
    </span>
  )
}
