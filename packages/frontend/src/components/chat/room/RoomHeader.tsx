import type { ReactNode } from 'react'
import { PresenceLabel } from '@/index'
import { Avatar } from '../common/Avatar'
import { CopyLink } from '../common/CopyLink'
import { Icon } from '../common/Icon'
import { useText } from '../i18n/TextContext'
import { MembersPopover, type MembersPopoverProps, type ShownCharacter } from './MembersPopover'

export interface RoomHeaderProps {
  title: string
  /** Whom one talks with, where the title does not say it. */
  subtitle?: string | undefined
  avatarId: string
  picture?: string | undefined
  /** Those who are in the room, those who belong to it and are not, and the characters. */
  people: Omit<MembersPopoverProps, 'userId'>
  userId: string
  link: string
  homeHref: string
  /** What can be done with the room. */
  children?: ReactNode
}

export function RoomHeader(props: RoomHeaderProps) {
  const { title, subtitle, avatarId, people, userId, link, homeHref } = props
  const { t, locale } = useText()
  const busiest = busiestOf(people.characters)
  const status = busiest[0]?.status
  // Of one alone the title says who it is.
  const names =
    people.characters.length > 1 ? busiest.map(({ name }) => name).join(', ') : undefined
  return (
    <header className="flex min-h-16 items-center gap-2 border-line border-b bg-surface px-3 pt-[env(safe-area-inset-top)] sm:px-4">
      <a
        href={homeHref}
        aria-label={t.backToChats}
        className="button-quiet -ms-1 min-h-11 px-2 md:hidden"
      >
        <Icon name="left" />
      </a>
      <span className="max-sm:hidden">
        <Avatar id={avatarId} name={subtitle ?? title} square picture={props.picture} />
      </span>
      <div className="min-w-0 flex-1">
        <h1 className="relative truncate font-semibold leading-tight">
          {title}
          {subtitle !== undefined && <span className="sr-only"> {subtitle}</span>}
        </h1>
        <p className="flex items-center gap-1.5 overflow-hidden whitespace-nowrap text-muted text-xs">
          {names !== undefined ? (
            <span className="truncate">{names}</span>
          ) : (
            subtitle !== undefined && (
              <span aria-hidden="true" className="truncate">
                {subtitle}
              </span>
            )
          )}
          {status && <PresenceLabel status={status} locale={locale} />}
        </p>
      </div>
      <MembersPopover {...people} userId={userId} />
      <span className="contents max-sm:hidden">
        <CopyLink link={link} />
      </span>
      {props.children}
    </header>
  )
}

/** Those who write; where nobody does, those who think, or else all. */
function busiestOf(characters: readonly ShownCharacter[]): readonly ShownCharacter[] {
  for (const status of ['writing', 'thinking']) {
    const found = characters.filter((each) => each.status === status)
    if (found.length > 0) return found
  }
  return characters
}
