import type { ReactNode } from 'react'
import { PresenceLabel } from '@/index'
import { Avatar } from '../common/Avatar'
import { Icon } from '../common/Icon'
import { useCopy } from '../common/useCopy'
import { useText } from '../i18n/TextContext'
import { MembersPopover, type MembersPopoverProps } from './MembersPopover'

export interface RoomHeaderProps {
  title: string
  avatarId: string
  /** Those who are in the room, those who belong to it and are not, and whom one talks with. */
  people: Omit<MembersPopoverProps, 'userId'>
  userId: string
  link: string
  homeHref: string
  /** Further things to look at. */
  children?: ReactNode
}

export function RoomHeader(props: RoomHeaderProps) {
  const { title, avatarId, people, userId, link, homeHref, children } = props
  const { t, locale } = useText()
  return (
    <header className="flex min-h-16 items-center gap-2 border-line border-b bg-surface px-3 pt-[env(safe-area-inset-top)] sm:px-4">
      <a
        href={homeHref}
        aria-label={t.backToChats}
        className="button-quiet -ms-1 min-h-11 px-2 md:hidden"
      >
        <Icon name="left" />
      </a>
      <Avatar id={avatarId} name={title} square />
      <div className="min-w-0 flex-1">
        <h1 className="truncate font-semibold leading-tight">{title}</h1>
        {people.character && <PresenceLabel status={people.character.status} locale={locale} />}
      </div>
      {children}
      <MembersPopover {...people} userId={userId} />
      <CopyLink link={link} />
    </header>
  )
}

function CopyLink({ link }: { link: string }) {
  const { t } = useText()
  const [state, copy] = useCopy()
  const label = { idle: t.copyLink, copied: t.copied, refused: t.copyFailed }[state]
  return (
    <button type="button" className="button-quiet" onClick={() => copy(link)}>
      <Icon name={state === 'copied' ? 'check' : 'link'} />
      <span aria-live="polite" className="max-sm:sr-only">
        {label}
      </span>
    </button>
  )
}
