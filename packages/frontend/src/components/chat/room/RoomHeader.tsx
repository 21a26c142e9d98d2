import type { ReactNode } from 'react'
import { PresenceLabel } from '@/index'
import { Avatar } from '../common/Avatar'
import { Icon } from '../common/Icon'
import { useCopy } from '../common/useCopy'
import { useText } from '../i18n/TextContext'
import { MembersPopover, type MembersPopoverProps } from './MembersPopover'

export interface RoomHeaderProps {
  title: string
  /** Whom one talks with, where the title does not say it. */
  subtitle?: string | undefined
  avatarId: string
  picture?: string | undefined
  /** Those who are in the room, those who belong to it and are not, and whom one talks with. */
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
  return (
    <header className="flex min-h-16 items-center gap-2 border-line border-b bg-surface px-3 pt-[env(safe-area-inset-top)] sm:px-4">
      <a
        href={homeHref}
        aria-label={t.backToChats}
        className="button-quiet -ms-1 min-h-11 px-2 md:hidden"
      >
        <Icon name="left" />
      </a>
      <Avatar id={avatarId} name={subtitle ?? title} square picture={props.picture} />
      <div className="min-w-0 flex-1">
        <h1 className="font-semibold leading-tight">
          <span className="block truncate">{title}</span>
          {subtitle !== undefined && (
            <span className="block truncate font-normal text-muted text-xs">{subtitle}</span>
          )}
        </h1>
        {people.character && <PresenceLabel status={people.character.status} locale={locale} />}
      </div>
      <MembersPopover {...people} userId={userId} />
      <CopyLink link={link} />
      {props.children}
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
